/**
 * One root, and systems on it one after the other, with what `runtime/last-good/` holds meanwhile. Everything ends with
 * the test.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import type { FileSystem } from '../../modules/contracts/seams.ts'
import { createRoot, type TestRoot } from './root.ts'
import { startSystem, type TestSystem } from './system.ts'

export const meta = (limits: string): Record<string, string> => ({
  'configs/meta-v1.0.0.yml': `prog: kernel\nlimits: {sweep_ms: 20, ${limits}}\n`,
})

export const saying = (word: string, more = ''): string =>
  `export class Module {\n  say() { return '${word}' }\n${more}}\n`

export const say = (system: TestSystem, api = 'x'): Promise<unknown> => system.getApi<{ say(): string }>(api).say()

export const namesIn = (path: string): string[] => (existsSync(path) ? readdirSync(path) : [])

export interface Restarts {
  readonly root: TestRoot
  put(files: Record<string, string>): void
  start(options?: { fs?: FileSystem; settle?: boolean }): Promise<TestSystem>
  stop(system: TestSystem): Promise<void>
  /** where the last good versions are */
  readonly folder: string
  /** services something is kept of */
  kept(): string[]
  /** hashes of the texts */
  texts(): string[]
  recordOf(api: string): string
}

/** To be called at the top of a test file: it sets up and tears down around each test. */
export function useRestarts(): Restarts {
  let root: TestRoot
  const running = new Set<TestSystem>()
  beforeEach(() => {
    root = createRoot()
  })
  afterEach(async () => {
    for (const system of running) await system.stop()
    running.clear()
    root.dispose()
  })
  const folder = (): string => join(root.path, 'runtime/last-good')
  return {
    get root() {
      return root
    },
    get folder() {
      return folder()
    },
    put: (files) => {
      for (const [file, text] of Object.entries(files)) root.write(file, text)
    },
    start: async (options = {}) => {
      const system = await startSystem({ ...root, dispose: () => {} }, options)
      running.add(system)
      return system
    },
    stop: async (system) => {
      running.delete(system)
      // Time enough to keep everything, also on a slow disk.
      await system.kernel.stop('restart', 20_000)
      await system.stop()
    },
    kept: () =>
      namesIn(folder())
        .filter((name) => name.endsWith('.json'))
        .map((name) => name.slice(0, name.lastIndexOf('-'))),
    texts: () => namesIn(join(folder(), 'texts')),
    recordOf: (api) =>
      readFileSync(join(folder(), namesIn(folder()).find((name) => name.startsWith(`${api}-`)) ?? ''), 'utf8'),
  }
}
