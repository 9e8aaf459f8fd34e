/**
 * `runtime/lock`: one system owns a root. The file names a process by pid and start time, so that a pid used again by
 * another program does not keep the root locked. A lock whose owner is gone is taken over.
 */
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { dirname } from 'node:path'
import { coded } from './errors.ts'
import { writeFailure } from './write-failure.ts'

interface Owner {
  pid: number
  started: string
}

/** When a process began, in whatever unit the platform has; only compared for equality. */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name in parentheses may hold spaces; field 22 is counted from after it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    try {
      return (
        execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'ignore'],
        }).trim() || undefined
      )
    } catch {
      return undefined
    }
  }
}

function isAlive(owner: Owner): boolean {
  try {
    process.kill(owner.pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  const started = startTime(owner.pid)
  return started === undefined || started === owner.started
}

function readOwner(path: string): Owner | undefined {
  try {
    const owner = JSON.parse(readFileSync(path, 'utf8')) as Partial<Owner>
    return typeof owner.pid === 'number' && typeof owner.started === 'string' ? (owner as Owner) : undefined
  } catch {
    return undefined
  }
}

/** Takes the lock or throws `root_in_use`, `read_only` or `disk_full`. The returned function gives it back, if it is still ours. */
export function takeLock(root: string, path: string): () => void {
  const mine: Owner = { pid: process.pid, started: startTime(process.pid) ?? '' }
  const draft = `${path}.${process.pid}`
  try {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(draft, JSON.stringify(mine), { mode: 0o600 })
  } catch (thrown) {
    throw writeFailure(thrown, 'runtime/lock')
  }
  try {
    for (let attempt = 0; ; attempt++) {
      try {
        // link() fails when the name is taken and appears with its content: no moment of an empty lock.
        linkSync(draft, path)
        break
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || attempt > 10) throw error
        const owner = readOwner(path)
        if (owner !== undefined && isAlive(owner)) throw coded('root_in_use', { root, pid: owner.pid })
        rmSync(path, { force: true })
      }
    }
  } finally {
    rmSync(draft, { force: true })
  }
  return () => {
    const owner = readOwner(path)
    if (owner?.pid === mine.pid && owner.started === mine.started) rmSync(path, { force: true })
  }
}
