/**
 * What the two small peers share: they answer the benchmark over the channel of their process, hand out late-bound services,
 * and load a module the way `import()` allows. How a change is taken is theirs: `naive.ts`, `import-first.ts`.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { parse } from 'yaml'
import type { Call } from '../contract.ts'

type Methods = Record<string, (...args: unknown[]) => unknown>
export type Instance = Methods & {
  init?(): unknown
  run?(signal: AbortSignal): unknown
  shutdown?(): unknown
  getAspect?(name: string): Record<string, { run(params: unknown): unknown }>
}

export interface Loaded {
  instance: Instance
  stop: AbortController
  /** what it was loaded from */
  text: string
}

const [folder = ''] = process.argv.slice(2)
export const services = new Map<string, Loaded>()
let versions = 0

const method = (name: string, key: string): ((...args: unknown[]) => unknown) => {
  const found = services.get(name)?.instance[key]
  if (typeof found !== 'function') throw new TypeError(`${name}.${key} is not there`)
  return found.bind(services.get(name)?.instance)
}

/** The little of a kernel that the subjects use. */
const kernelFor = (api: string, generation: number, stop: AbortController): object => ({
  api,
  generation,
  getApi: (name: string) =>
    new Proxy(
      {},
      {
        get:
          (_, key: string) =>
          async (...args: unknown[]) =>
            method(name, key)(...args),
      },
    ),
  sleep: (ms: number, signal?: AbortSignal) => sleep(ms, undefined, { signal: signal ?? stop.signal }),
  clock: { now: () => Date.now(), monotonic: () => performance.now() },
  log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
  events: { on: () => () => undefined, emit: () => undefined },
  paths: { root: folder, modules: `${folder}/modules`, configs: `${folder}/configs` },
})

export const textsOf = (name: string): string =>
  ['modules/', 'configs/']
    .map((kind) => readFileSync(`${folder}/${kind}${name}.${kind === 'modules/' ? 'ts' : 'yml'}`, 'utf8'))
    .join('\0')

/** Reads, imports under a new name, constructs, starts. */
export async function load(name: string): Promise<Loaded> {
  const text = textsOf(name)
  const config = parse(text.split('\0')[1] ?? '') as { prog: string; enabled?: boolean }
  if (config.enabled === false) throw new Error(`${name} is off`)
  const { Module } = (await import(`${folder}/modules/${config.prog}.ts?v=${++versions}`)) as {
    Module: new (kernel: object, config: object) => Instance
  }
  const stop = new AbortController()
  const instance = new Module(kernelFor(name, versions, stop), config)
  await instance.init?.()
  return { instance, stop, text }
}

/** Background work; what it ends with is nobody's business, except an abort's. */
export function begin({ instance, stop }: Loaded): void {
  const running = instance.run?.(stop.signal)
  if (running instanceof Promise)
    void running.catch((error: unknown) => {
      if (!stop.signal.aborted) throw error
    })
}

async function call({ service, method: name, args, aspect }: Call): Promise<unknown> {
  if (aspect === undefined) return method(service, name)(...args)
  const tool = services.get(service)?.instance.getAspect?.(aspect)?.[name]
  if (tool === undefined) throw new Error(`no tool ${name}`)
  return tool.run(args[0])
}

type Asked = { id: number } & ({ op: 'call'; call: Call } | { op: 'deliver' | 'status'; name: string })

/** Starts all services and answers until the process is ended from outside. */
export async function serve(deliver: (name: string) => Promise<void>): Promise<void> {
  const answer = async (asked: Asked): Promise<unknown> => {
    if (asked.op === 'call') return call(asked.call)
    if (asked.op === 'deliver') return deliver(asked.name)
    return { loaded: services.get(asked.name)?.text ?? null }
  }
  for (const file of readdirSync(`${folder}/configs`)) {
    const name = file.slice(0, -4)
    services.set(name, await load(name))
  }
  for (const loaded of services.values()) begin(loaded)
  process.on('message', (asked: Asked) => {
    answer(asked).then(
      (value) => process.send?.({ id: asked.id, ok: true, value }),
      (error: unknown) => process.send?.({ id: asked.id, ok: false, error: String(error) }),
    )
  })
  process.send?.({ id: 0, ok: true })
}
