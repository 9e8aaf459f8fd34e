/**
 * What demos share: a system of its own in a temporary root, started from files, waited for until it answers, and ended
 * and removed whatever became of it. Used by the demos.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Proposal } from '../modules/contracts/proposals.ts'
import { codeOf, coded } from '../modules/lib/errors.ts'
import { MM } from './child.ts'
import { Client, readAddress } from './client.ts'
import { packageRoot } from './package-root.ts'

const START_MS = 60_000
const END_MS = 120_000
const LOOK_MS = 100

export interface DemoSystem {
  root: string
  client: Client
  /** The result of a method of a service, by the operator. */
  call<T>(api: string, method: string, ...args: unknown[]): Promise<T>
}

/** `ready` rejects with a code while the system is not yet what the demo needs. */
export async function inDemoSystem<T>(
  files: Readonly<Record<string, string>>,
  ready: (system: DemoSystem) => Promise<unknown>,
  work: (system: DemoSystem) => Promise<T>,
): Promise<T> {
  const root = mkdtempSync(join(tmpdir(), 'mm-demo-'))
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), text)
  }
  const child = spawn(process.execPath, [MM, '--root', root, 'up', '--no-repl'], { stdio: 'ignore' })
  try {
    return await work(await started(root, child, ready))
  } finally {
    await ended(child)
    rmSync(root, { recursive: true, force: true })
  }
}

/** A file as it ships. */
export const shipped = (file: string): string => readFileSync(join(packageRoot, file), 'utf8')

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** What `look` finds, as soon as it finds something. */
export async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (const end = performance.now() + END_MS; performance.now() < end; await pause(LOOK_MS)) {
    const found = await look()
    if (found !== undefined) return found
  }
  throw coded('deadline_exceeded', { api: 'demo', method: what, ms: END_MS })
}

/** Both confirmations of a person, where it waits for one. */
export async function approveTwice({ client, call }: DemoSystem, id: string): Promise<void> {
  for (const note of ['looked at it', 'the demo shows what happens then']) {
    const { state, approval_id } = await call<Proposal>('rollouts', 'show', id)
    if (state !== 'waiting') return
    await client.post(`/api/approvals/${approval_id ?? ''}`, { approved: true, by: 'demo', note })
  }
}

async function started(
  root: string,
  child: ChildProcess,
  ready: (system: DemoSystem) => Promise<unknown>,
): Promise<DemoSystem> {
  for (const end = performance.now() + START_MS; performance.now() < end; await pause(LOOK_MS)) {
    if (child.exitCode !== null) break
    if (readAddress(root) === undefined) continue
    const system = systemOf(root)
    try {
      await ready(system)
      return system
    } catch (thrown) {
      // Not all of it is live yet.
      if (codeOf(thrown) === undefined) throw thrown
    }
  }
  throw coded('not_reachable', { root })
}

function systemOf(root: string): DemoSystem {
  const client = new Client(root)
  return {
    root,
    client,
    async call<T>(api: string, method: string, ...args: unknown[]) {
      const path = `/api/services/${encodeURIComponent(api)}/call`
      return (await client.post<{ result: T }>(path, { method, args })).result
    },
  }
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    child.once('close', () => resolve())
    child.kill('SIGTERM')
  })
}
