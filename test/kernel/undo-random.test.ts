/**
 * 50 random changes, each undone: afterwards every byte under configs/ and modules/ and every answer is as it was
 * before the change, and what the undo said of the state is what became of it. The seed is fixed: a failure repeats.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { KernelServiceApi } from '../../modules/contracts/kernel.ts'
import { startSystem, type TestSystem } from '../support/system.ts'

const CHANGES = 50
const APIS = ['a', 'b', 'c'] as const

const source = (name: string, version: number): string => `
import { z } from 'zod'
import { factor } from './factor.js'
export const configSchema = z.object({ size: z.number().default(1), level: z.number().meta({ volatile: true }).default(1) })
export class Module {
  #count = 0
  constructor(_kernel, config) { this.config = config }
  configure(next) { this.config = next }
  answer() { return ['${name}', ${version}, factor, this.config.size, this.config.level] }
  async count() { await null; return ++this.#count }
  ${name === 'c' ? '' : 'handOver() { return this.#count }\n  takeOver(count) { this.#count = count }'}
}`

/** mulberry32: small, even, and the same everywhere. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

function bytes(root: string, folder: string, found: Record<string, string> = {}): Record<string, string> {
  for (const name of readdirSync(join(root, folder))) {
    const path = `${folder}/${name}`
    if (statSync(join(root, path)).isDirectory()) bytes(root, path, found)
    else found[path] = readFileSync(join(root, path), 'utf8')
  }
  return found
}

const call = (system: TestSystem, api: string, method: string): Promise<unknown> =>
  (system.getApi(api)[method] as () => Promise<unknown>)()

/** One change, and what tells that it has been taken in. */
interface Edit {
  name: string
  api: string
  made: (data: Record<string, unknown>) => boolean
  event: string
  make(): void
}

function edits(system: TestSystem, turn: number, api: string): Edit[] {
  const { root } = system
  const current = (file: string): string => root.read(file)
  const config =
    Object.keys(bytes(root.path, 'configs')).find((file) => new RegExp(`/${api}(-v\\d+)?\\.yml$`).test(file)) ?? ''
  const isApi = (data: Record<string, unknown>): boolean => data['api'] === api
  const live = { api, event: 'service.live', made: isApi }
  return [
    { ...live, name: 'source in place', make: () => root.write(`modules/${api}.js`, source(api, turn)) },
    { ...live, name: 'source by rename', make: () => root.writeByRename(`modules/${api}.js`, source(api, turn)) },
    { ...live, name: 'config', make: () => root.write(config, `size: ${turn}`) },
    { ...live, name: 'helper of all', make: () => root.write('modules/factor.js', `export const factor = ${turn}`) },
    {
      ...live,
      name: 'newer version of the config',
      make: () => root.write(`configs/${api}-v${turn}.yml`, `size: ${turn}`),
    },
    {
      api,
      name: 'volatile key',
      event: 'service.configured',
      made: isApi,
      make: () => root.write(config, `${current(config).replace(/\nlevel.*/, '')}\nlevel: ${turn}`),
    },
    { api, name: 'config removed', event: 'service.stopped', made: isApi, make: () => root.remove(config) },
    {
      api: `new${turn}`,
      name: 'config added',
      event: 'service.live',
      made: (data) => data['api'] === `new${turn}`,
      make: () => root.write(`configs/new${turn}.yml`, `prog: ${api}`),
    },
    {
      api,
      name: 'broken source',
      event: 'service.refused',
      made: isApi,
      make: () => root.write(`modules/${api}.js`, 'export class Module {'),
    },
    {
      api,
      name: 'config that does not fit',
      event: 'service.refused',
      made: isApi,
      make: () => root.write(config, 'size: many'),
    },
  ]
}

it('after each undo, bytes and behavior are equal to before, and the state is as reported', {
  timeout: 120_000,
}, async () => {
  const system = await startSystem({
    'modules/factor.js': 'export const factor = 1',
    ...Object.fromEntries(APIS.map((api) => [`modules/${api}.js`, source(api, 0)])),
    ...Object.fromEntries(APIS.map((api) => [`configs/${api}.yml`, 'size: 1'])),
  })
  const kernel = system.getApi<KernelServiceApi>('kernel')
  const next = random(20_261_121)
  const made: string[] = []
  const whole = async (): Promise<unknown> => ({
    files: { ...bytes(system.root.path, 'configs'), ...bytes(system.root.path, 'modules') },
    answers: await Promise.all(APIS.map((api) => call(system, api, 'answer'))),
    stale: (await kernel.services()).filter((one) => one.stale || one.last_error !== null),
  })
  try {
    for (let turn = 2; turn < CHANGES + 2; turn++) {
      const api = APIS[Math.floor(next() * APIS.length)] ?? 'a'
      const choices = edits(system, turn, api)
      const edit = choices[Math.floor(next() * choices.length)] as Edit
      const counted = await call(system, api, 'count')
      const before = await whole()
      const taken = system.event(edit.event, edit.made)
      edit.make()
      await taken
      await system.kernel.settled()
      const result = await kernel.undo(edit.api)
      await system.kernel.settled()
      expect([turn, edit.name, api, result.ok, result.error]).toEqual([turn, edit.name, api, true, null])
      expect([turn, edit.name, await whole()]).toEqual([turn, edit.name, before])
      // Only the service that was changed says what became of its state; a service that was added is gone.
      const count = await call(system, api, 'count')
      const kept = result.state === 'carried' || edit.api !== api
      if (edit.name !== 'helper of all' || kept)
        expect([turn, edit.name, result.state, count]).toEqual([
          turn,
          edit.name,
          result.state,
          kept ? Number(counted) + 1 : 1,
        ])
      made.push(edit.name)
    }
  } finally {
    await system.stop()
  }
  expect(new Set(made).size).toBe(10)
})
