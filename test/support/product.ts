/**
 * A root as `mm init` makes it, for tests that want every service: any free port, no model server of this machine, and
 * a few things that have happened, so that pages have something to show.
 */
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { shortHash } from '../../modules/lib/hash.ts'
import type { RunningSystem } from './process.ts'
import { createRoot, packageRoot, type TestRoot } from './root.ts'

const TICKER = `export class Module {
  count = 0
  constructor(kernel, config) { this.step = config.step ?? 1 }
  tick() { this.count += this.step; return this.count }
  fail() { throw new Error('the spring is broken') }
  handOver() { return this.count }
  takeOver(count) { this.count = count }
}
`

const CONFIG = 'step: 1\n'
export const TICKER_CONFIG = 'configs/ticker.yml'
export const TICKER_SOURCE = 'modules/ticker.ts'

/** `files`: what stands beside what is shipped, or instead of it; `null`: what is taken away. */
export function productRoot(files: Readonly<Record<string, string | null>> = {}): TestRoot {
  const root = createRoot()
  for (const folder of ['configs', 'prompts'])
    cpSync(join(packageRoot, folder), join(root.path, folder), { recursive: true })
  root.write('configs/services/http.yml', root.read('configs/services/http.yml').replace(/^port: .*$/m, 'port: 0'))
  const all = { 'configs/inference/local.yml': null, [TICKER_CONFIG]: CONFIG, [TICKER_SOURCE]: TICKER, ...files }
  for (const [file, text] of Object.entries(all)) {
    if (text === null) root.remove(file)
    else root.write(file, text)
  }
  return root
}

/** Calls, an error, a chat with a tool call, a rollback, and a change that waits for a person. */
export async function liveALittle({ api, call, line }: RunningSystem, root: TestRoot): Promise<void> {
  for (let n = 0; n < 20; n++) await call('ticker', 'tick')
  await call('ticker', 'fail').catch(() => undefined)
  await api('POST', '/api/chat', { message: 'what services are running?' })
  const switched = line(/ticker {2}g1 → g2/)
  root.write(TICKER_SOURCE, TICKER.replace('the spring', 'the mainspring'))
  await switched
  await api('POST', '/api/services/ticker/rollback')
  await api('POST', '/api/changes', {
    actor: 'self-improver',
    service: 'ticker',
    title: 'Count in twos',
    intent: 'Two at a time is quicker',
    origin: 'self',
    edits: [{ path: TICKER_CONFIG, base_hash: shortHash(CONFIG), text: 'step: 2\n' }],
  })
}
