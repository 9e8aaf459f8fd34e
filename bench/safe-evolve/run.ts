/**
 * Runs trials, some side by side, each on a peer of its own in a temporary folder, and writes each result down at once: a run
 * that is cut off goes on where it was. Called by the benchmark and by its test.
 */
import { randomBytes } from 'node:crypto'
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Mutation, Peer, TrialResult } from './contract.ts'
import { subjects } from './corpus.ts'
import { GatePeer } from './gate-peer.ts'
import { ProcessPeer } from './process-peer.ts'
import { Trial, type TrialOptions } from './trial.ts'

export const PEERS: Record<string, () => Peer> = {
  naive: () => new ProcessPeer('naive'),
  'import-first': () => new ProcessPeer('import-first'),
  gate: () => new GatePeer(),
}

export interface RunOptions extends TrialOptions {
  lanes: number
  /** results by line, read before and added to */
  file?: string
  /** no trial begins later */
  until?: number
  told?: (result: TrialResult) => void
}

export async function runTrial(make: () => Peer, mutation: Mutation, options: TrialOptions): Promise<TrialResult> {
  const base = mkdtempSync(join(tmpdir(), 'mm-safe-evolve-'))
  const folder = join(base, 'root')
  mkdirSync(folder)
  const secret = `secret-${randomBytes(12).toString('hex')}`
  const peer = make()
  try {
    await peer.start({ folder, secret, subject: subjects[mutation.subject] })
    return await new Trial(peer, mutation, secret, options).run(join(base, 'canary'))
  } finally {
    await peer.stop()
    rmSync(base, { recursive: true, force: true, maxRetries: 5 })
  }
}

export function readResults(file: string): TrialResult[] {
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean)
  return lines.map((line) => JSON.parse(line) as TrialResult)
}

/** Drops what is known of these, so that they are run again. */
export function forgetResults(file: string, peers: readonly string[], mutations: readonly Mutation[]): void {
  const ids = new Set(mutations.map(({ id }) => id))
  const left = readResults(file).filter(({ peer, mutation }) => !peers.includes(peer) || !ids.has(mutation))
  if (existsSync(file)) writeFileSync(file, left.map((result) => `${JSON.stringify(result)}\n`).join(''))
}

export async function runTrials(
  name: string,
  mutations: readonly Mutation[],
  options: RunOptions,
): Promise<TrialResult[]> {
  const make = PEERS[name]
  if (make === undefined) throw new Error(`no peer ${name}; there are: ${Object.keys(PEERS).join(', ')}`)
  const chosen = new Set(mutations.map(({ id }) => id))
  const known = options.file === undefined ? [] : readResults(options.file)
  const results = known.filter((result) => result.peer === name && chosen.has(result.mutation))
  const done = new Set(results.map((result) => result.mutation))
  const left = mutations.filter(({ id }) => !done.has(id))
  const lane = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      if (performance.now() > (options.until ?? Number.POSITIVE_INFINITY)) return
      const result = await runTrial(make, next, options)
      results.push(result)
      options.told?.(result)
      if (options.file === undefined) continue
      mkdirSync(dirname(options.file), { recursive: true })
      appendFileSync(options.file, `${JSON.stringify(result)}\n`)
    }
  }
  await Promise.all(Array.from({ length: options.lanes }, lane))
  return results
}
