/** The module contract, seen by those who call a service that runs in a sandbox: config, aspects, tools, streams, timed work. */
import { afterEach, expect, it } from 'vitest'
import type { Handle } from '../../../modules/contracts/module.ts'
import { rejection } from '../../support/system.ts'
import { counter, startSandboxed, type SandboxSystem } from './sandbox-system.ts'

let system: SandboxSystem
afterEach(() => system.stop())

const MODULE = `
import { z } from 'zod'
import { tool } from 'meta-machine'
export const configSchema = z.object({
  interval: z.number().int().min(1).default(5).meta({ volatile: true }),
  name: z.string().default('none'),
  key: z.string().optional().meta({ secret: true }),
})
enum Kind { Plain = 'plain' }
export class Module {
  ticks = 0
  constructor(private readonly kernel: any, private config: any) {
    if (config.every) kernel.every(5, () => this.ticks++)
  }
  init() { this.kernel.every(5, () => { this.ticks++ }, 'ticking'); this.kernel.spawn('once', async () => { this.ticks += 1000 }) }
  configure(next: any) {
    if (next.interval === 13) throw new Error('not thirteen')
    this.config = next
  }
  settings() { return { ...this.config, kind: Kind.Plain } }
  howMany() { return this.ticks }
  prompt() { return this.kernel.prompt('prompts/a.txt') }
  async waits(signal: AbortSignal) {
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    return 'aborted'
  }
  getAspect(name: string): any {
    if (name === 'admin') return { who: () => 'admin of ' + this.config.name, async *all() { yield 1; yield 2 } }
    if (name === 'tool')
      return {
        add: tool({ description: 'Adds', params: z.object({ a: z.number(), b: z.number().default(1) }), read_only: true, run: ({ a, b }) => a + b }),
      }
    return undefined
  }
}
`
const start = async (config = ''): Promise<void> => {
  system = await startSandboxed({
    'configs/x.yml': `sandbox: true\n${config}`,
    'modules/x.ts': MODULE,
    'prompts/a.txt': 'Be kind.',
  })
}
const write = (config: string): void => system.root.write('configs/x.yml', `sandbox: true\n${config}`)
interface X {
  settings(): { interval: number; name: string; kind: string }
  howMany(): number
  prompt(): { text: string }
  waits(signal: AbortSignal): Promise<string>
}
const x = () => system.getApi<X>('x')

it('the guest’s own schema fills in defaults; a mistake is told with its place', async () => {
  await start('name: one\n')
  expect(await x().settings()).toEqual({ interval: 5, name: 'one', kind: 'plain' })
  write('name: one\ninterval: many\n')
  const { error } = await system.reload('x')
  expect(error).toMatchObject({ code: 'config_invalid', file: 'configs/x.yml', line: 3 })
  write('name: one\nkey: written-out\n')
  expect((await system.reload('x')).error).toMatchObject({ code: 'secret_plain', line: 3 })
  expect(await x().settings()).toMatchObject({ interval: 5 })
})

it('a volatile key is delivered without a new version; one that is refused leaves the earlier values', async () => {
  await start('interval: 7\n')
  const configured = system.event('service.configured')
  write('interval: 8\n')
  await configured
  expect(await x().settings()).toMatchObject({ interval: 8 })
  expect((await system.show('x')).generation).toBe(1)
  write('interval: 13\n')
  const { error, generation } = await system.reload('x')
  expect(error).toMatchObject({ code: 'configure_threw', message: expect.stringContaining('not thirteen') })
  expect(generation).toBe(1)
  expect(await x().settings()).toMatchObject({ interval: 8 })
})

it('tools are described and checked as elsewhere', async () => {
  await start()
  const { tools, aspects } = await system.show('x')
  expect(tools).toMatchObject([{ name: 'add', description: 'Adds', schema: { type: 'object', required: ['a'] } }])
  expect(aspects).toContain('tool')
  const tool = x().as<{ add(params: object): number }>('tool')
  expect(await tool.add({ a: 2, b: 3 })).toBe(5)
  expect(await tool.add({ a: 2 })).toBe(3)
  expect(await rejection(tool.add({ a: 'two' }))).toMatchObject({
    code: 'bad_params',
    message: expect.stringContaining('a'),
  })
})

it('another aspect is asked for when it is first called, also by several at once', async () => {
  await start('name: one\n')
  const admin = x().as<{ who(): string; all(): AsyncGenerator<number> }>('admin')
  expect(await Promise.all([admin.who(), admin.who()])).toEqual(['admin of one', 'admin of one'])
  const seen: number[] = []
  for await (const item of admin.all()) seen.push(item)
  expect(seen).toEqual([1, 2])
  expect((await rejection(x().as<{ who(): string }>('nobody').who())).code).toBe('aspect_not_found')
  expect(await system.reload('x')).toMatchObject({ ok: true })
  expect(await admin.who()).toBe('admin of one')
})

it('timed and background work is the version’s: it is listed, works, and ends with it', async () => {
  await start()
  await expect.poll(() => x().howMany()).toBeGreaterThan(1_001)
  expect((await system.show('x')).owned.map(({ label }) => label)).toContain('ticking')
  expect(await system.reload('x')).toMatchObject({ ok: true })
  await expect.poll(() => system.sandboxes.versions.size).toBe(1)
  await expect.poll(() => x().howMany()).toBeGreaterThan(1_001)
})

it('a signal among the arguments aborts there', async () => {
  await start()
  const stop = new AbortController()
  const waiting = x().waits(stop.signal)
  stop.abort()
  expect(await waiting).toBe('aborted')
})

it('a grant that is missing is told inside as an error with its code', async () => {
  await start('grants: []\n')
  expect(await rejection(x().prompt())).toMatchObject({
    code: 'grant_denied',
    hint: expect.stringContaining('kernel.prompt:prompts/a.txt'),
  })
})

it('a service in a sandbox is called by another one, and the other way round', async () => {
  await start()
  system.root.write('modules/caller.ts', counter())
  system.root.write('configs/caller.yml', '')
  await system.live('caller')
  const caller = system.getApi<{ ask(api: string, method: string): Promise<unknown> }>('caller') as Handle<{
    ask(api: string, method: string): Promise<unknown>
  }>
  expect(await caller.ask('x', 'settings')).toMatchObject({ interval: 5 })
})
