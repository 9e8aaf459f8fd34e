/** Process groups of peers: what they used of the processor, and their end. Only groups that were started here. */
import type { ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

const TICKS_PER_SECOND = 100

interface Stat {
  group: number
  ticks: number
}

function statOf(pid: string): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0)
    return { group: Number(fields[2]), ticks }
  } catch {
    return undefined
  }
}

/** Of all processes of the group, and of those that ended and were waited for. */
export function groupCpuSeconds(group: number): number {
  const ticks = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(statOf)
    .filter((stat) => stat?.group === group)
    .reduce((sum, stat) => sum + (stat?.ticks ?? 0), 0)
  return ticks / TICKS_PER_SECOND
}

const groups = new Set<number>()
// A run that fails leaves nobody behind.
process.on('exit', () => {
  for (const group of groups) endGroup(group)
})

/** A process that leads a group of its own, which is ended at the latest with this one. */
export function beginGroup(pid: number | undefined): void {
  if (pid !== undefined) groups.add(pid)
}

export function endGroup(group: number): void {
  groups.delete(group)
  try {
    process.kill(-group, 'SIGKILL')
  } catch (error) {
    if ((error as { code?: string }).code !== 'ESRCH') throw error
  }
}

/** With its group; resolves when it is gone. */
export async function endProcess(child: ChildProcess | undefined): Promise<void> {
  if (child?.pid === undefined) return
  const isThere = child.exitCode === null && child.signalCode === null
  const gone = isThere ? new Promise((done) => child.once('exit', done)) : undefined
  endGroup(child.pid)
  await gone
}
