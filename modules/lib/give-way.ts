/**
 * Work that nobody waits for gives way to calls: its processes get the processor that is left, all of it where nothing else
 * wants it. Called for what checks a change. Where the machine knows no priorities, or the process has ended, nothing happens.
 */
import { readdirSync, writeFileSync } from 'node:fs'
import { getPriority, setPriority } from 'node:os'

/** As `nice` counts. Under full load a third of what another process has: slower, and not starved. */
const NICE = 5

/**
 * Processes that it starts from now on give way too. `session`: it has one of its own; Linux shares a processor among
 * sessions first, and counts `nice` within each. Of a process of our own session that would be the system itself.
 */
export function giveWay(pid: number, of: 'process' | 'session'): void {
  for (const thread of threadsOf(pid)) attempt(() => setPriority(thread, Math.max(NICE, getPriority(thread))))
  if (of === 'session') attempt(() => writeFileSync(`/proc/${pid}/autogroup`, String(NICE)))
}

/** Linux gives each thread a priority of its own, which those that it starts inherit; elsewhere the process has one. */
function threadsOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number)
  } catch {
    return [pid]
  }
}

function attempt(work: () => void): void {
  try {
    work()
  } catch {
    // It has ended, or the machine has nothing like it.
  }
}
