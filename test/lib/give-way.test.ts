/** Processes that check a change leave the processor to calls. */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import { afterEach, expect, it } from 'vitest'
import { giveWay } from '../../modules/lib/give-way.ts'

const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})
function started(detached: boolean): number {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached, stdio: 'ignore' })
  children.push(child)
  return child.pid as number
}
/** undefined where the machine has no such thing. */
const groupOf = (pid: number): string | undefined =>
  existsSync(`/proc/${pid}/autogroup`) ? readFileSync(`/proc/${pid}/autogroup`, 'utf8') : undefined

it('a process steps back, and the session it shares with us stays where it is', () => {
  const [own, before] = [getPriority(), groupOf(process.pid)]
  const pid = started(false)
  giveWay(pid, 'process')
  expect([getPriority(pid), getPriority(), groupOf(process.pid)]).toEqual([Math.max(own, 5), own, before])
})

it('a process with a session of its own steps back as that', () => {
  const before = groupOf(process.pid)
  const pid = started(true)
  giveWay(pid, 'session')
  expect(getPriority(pid)).toBe(Math.max(getPriority(), 5))
  expect(groupOf(pid)?.includes('nice 5') ?? true).toBe(true)
  expect(groupOf(process.pid)).toBe(before)
})

it('one that has ended is no failure', async () => {
  const pid = started(false)
  const [child] = children.splice(0)
  const ended = new Promise((resolve) => child?.once('exit', resolve))
  child?.kill('SIGKILL')
  await ended
  expect(() => giveWay(pid, 'session')).not.toThrow()
})
