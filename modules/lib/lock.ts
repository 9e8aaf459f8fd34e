/**
 * `runtime/lock`: one system owns a root. The file names a process by pid and start time, so that a pid used again by
 * another program does not keep the root locked, and beside it the process that runs the system for it: as long as
 * either lives, the root is in use. A lock whose processes are gone is taken over by exactly one of those who try: only
 * the holder of `lock.over` may remove it, after a second look, and that is a lock of the same kind.
 */
import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { coded } from './errors.ts'
import { writeFailure } from './write-failure.ts'

export interface Lock {
  /** Names the process that runs the system. Throws `read_only`, `disk_full` or `file_failed`. */
  runs(pid: number): void
  /** Gives the root back, if the lock is still ours. */
  release(): void
}

interface Started {
  pid: number
  started: string
}

interface Owner extends Started {
  /** what the owner runs, when that is a process of its own */
  system?: Started
}

/** Each is the takeover of the one before, left by a process that was killed right then. */
const DEPTH_MAX = 8
const ATTEMPTS_MAX = 10

/** Ended, and not yet fetched by its parent: in a container without an init that may never happen. */
const ENDED = 'ended'

/** When a process began, in whatever unit the platform has, only compared for equality; undefined: nobody can say. */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name in parentheses may hold spaces; fields are counted from after it: 3 is the state, 22 the start.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? ENDED : fields[19]
  } catch {
    return startTimeByPs(pid)
  }
}

function startTimeByPs(pid: number): string | undefined {
  try {
    const said = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { stdio: ['ignore', 'pipe', 'ignore'] })
    return said.toString().trim() || undefined
  } catch {
    return undefined
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

/** Whoever it is by now. */
export const isRunning = (pid: number): boolean => exists(pid) && startTime(pid) !== ENDED

function isAlive({ pid, started }: Started): boolean {
  if (!exists(pid)) return false
  const now = startTime(pid)
  return now === undefined || now === started
}

const isStarted = (value: unknown): value is Started => {
  const { pid, started } = (value ?? {}) as Partial<Started>
  return typeof pid === 'number' && typeof started === 'string'
}

function readOwner(path: string): Owner | 'absent' | 'unreadable' {
  try {
    const owner = JSON.parse(readFileSync(path, 'utf8')) as unknown
    return isStarted(owner) ? owner : 'unreadable'
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'absent' : 'unreadable'
  }
}

interface Holder {
  pid: number
  orphan: boolean
}

/**
 * An absent lock is not a stale one: whoever removed it may put its own there at any moment, so only one that was read
 * as stale may be removed.
 */
function look(path: string): Holder | 'absent' | 'stale' {
  const owner = readOwner(path)
  if (owner === 'absent') return 'absent'
  if (owner === 'unreadable') return 'stale'
  if (isAlive(owner)) return { pid: owner.pid, orphan: false }
  const { system } = owner
  return isStarted(system) && isAlive(system) ? { pid: system.pid, orphan: true } : 'stale'
}

/** Who keeps the root in use: the owner, or the system that it left behind. */
export function holderOf(path: string): Holder | undefined {
  const seen = look(path)
  return typeof seen === 'string' ? undefined : seen
}

/** Takes the lock or throws `root_in_use`, `read_only`, `disk_full` or `file_failed`. */
export function takeLock(root: string, path: string): Lock {
  const mine: Owner = { pid: process.pid, started: startTime(process.pid) ?? '' }
  const draft = `${path}.${process.pid}`
  const write = (owner: Owner): void => writeFileSync(draft, JSON.stringify(owner), { mode: 0o600 })
  try {
    mkdirSync(dirname(path), { recursive: true })
    write(mine)
    acquire(root, path, draft)
  } catch (thrown) {
    throw failureOf(thrown)
  } finally {
    rmSync(draft, { force: true })
  }
  const isMine = (): boolean => {
    const owner = readOwner(path)
    return typeof owner !== 'string' && owner.pid === mine.pid && owner.started === mine.started
  }
  return {
    runs(pid) {
      if (!isMine()) return
      try {
        write({ ...mine, system: { pid, started: startTime(pid) ?? '' } })
        renameSync(draft, path)
      } catch (thrown) {
        throw failureOf(thrown)
      }
    },
    release() {
      if (!isMine()) return
      try {
        rmSync(path, { force: true })
      } catch {
        // A folder that takes no writes: the next one to come finds the lock stale.
      }
    },
  }
}

const failureOf = (thrown: unknown): unknown =>
  (thrown as { code?: unknown }).code === 'root_in_use' ? thrown : writeFailure(thrown, 'runtime/lock')

function acquire(root: string, path: string, draft: string, depth = 0): void {
  for (let attempt = 0; ; attempt++) {
    try {
      // link() fails when the name is taken and appears with its content: no moment of an empty lock.
      linkSync(draft, path)
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || attempt > ATTEMPTS_MAX || depth > DEPTH_MAX) throw error
    }
    const seen = look(path)
    if (typeof seen !== 'string') throw coded('root_in_use', { root, pid: seen.pid })
    if (seen === 'stale') removeStale(root, path, draft, depth)
  }
}

/**
 * Two that saw the same stale lock must not both remove it: the slower one would remove the lock of the faster. Who
 * finds this one held loses, since its holder, or somebody faster still, gets the root.
 */
function removeStale(root: string, path: string, draft: string, depth: number): void {
  const over = `${path}.over`
  acquire(root, over, draft, depth + 1)
  try {
    if (look(path) === 'stale') rmSync(path, { force: true })
  } finally {
    rmSync(over, { force: true })
  }
}
