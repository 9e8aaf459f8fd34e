/**
 * How the services meet files that were just written: each that the kernel's plan named is asked to take its new version,
 * or waited for where it appears, goes or is only configured. And the way back: each service is to run again what it ran
 * before. Waits on what the kernel tells, never longer than `take_ms`.
 */
import type { ErrorData } from '../../contracts/errors.ts'
import type { KernelInfo, PlannedChange, ServiceDetail, ServiceState } from '../../contracts/kernel.ts'
import { codeOf, coded, fromErrorData, toErrorData } from '../../lib/errors.ts'
import type { Means } from './means.ts'
import type { VersionHashes } from './store.ts'

export interface Taken {
  api: string
  generation: number | null
  error: ErrorData | null
}

/** Meta files and kernels: who takes them is the next kernel. */
const KERNEL = 'kernel'
const OF_KERNEL = /^(configs\/meta[^/]*\.ya?ml$|modules\/kernel-v)/

export const isOfKernel = (paths: readonly string[]): boolean => paths.some((path) => OF_KERNEL.test(path))

/** undefined: it is not there. */
export async function standingOf({ system }: Means, api: string): Promise<ServiceDetail | undefined> {
  try {
    return await system.show(api)
  } catch (thrown) {
    if (codeOf(thrown) === 'service_not_found') return undefined
    throw thrown
  }
}

export const versionOf = (service: ServiceDetail | undefined): VersionHashes | null =>
  service === undefined || service.generation === null
    ? null
    : { source_hash: service.source_hash, config_hash: service.config_hash }

export const isSameVersion = (a: VersionHashes | null, b: VersionHashes | null): boolean =>
  a?.source_hash === b?.source_hash && a?.config_hash === b?.config_hash

/** Never rejects. */
export async function take(
  means: Means,
  planned: readonly PlannedChange[],
  paths: readonly string[],
  kernel: VersionHashes | null,
): Promise<Taken[]> {
  const changing = planned.filter(({ change }) => change !== 'none')
  const all = (some: readonly PlannedChange[]): Promise<Taken[]> =>
    Promise.all(some.map((one) => takeOne(means, one, paths)))
  // What changes may need what is new: a version that waits for it would be told as one that failed.
  const started = await all(changing.filter(({ change }) => change === 'start'))
  if (started.some(({ error }) => error !== null)) return started
  const taken = [...started, ...(await all(changing.filter(({ change }) => change !== 'start')))]
  if (!isOfKernel(paths) || taken.some(({ error }) => error !== null)) return taken
  return [...taken, await swapFrom(means, kernel)]
}

/** The kernel looks at its files by itself too: where it has taken them before it was asked, that is no refusal. */
async function swapFrom(means: Means, before: VersionHashes | null): Promise<Taken> {
  const taken = await swap(means)
  if (taken.error === null || isSameVersion(await versionNow(means, KERNEL), before)) return taken
  return { ...taken, error: null }
}

/** Of a change of the kernel that is live; `probation`: it may still be gone back from. */
export async function wrongKernel(
  { system }: Means,
  paths: readonly string[],
  before: VersionHashes | null,
): Promise<string | undefined> {
  if (!isOfKernel(paths)) return undefined
  const info = await system.kernel()
  if (!isSameVersion(kernelVersion(info), before)) return info.on_probation ? 'probation' : undefined
  const why = info.history.findLast(({ error }) => error !== null)?.error?.message ?? 'no reason is known'
  return `the kernel before it serves again: ${why}`
}

const kernelVersion = ({ source_key, config_hash, meta_file }: KernelInfo): VersionHashes => ({
  source_hash: source_key,
  config_hash: `${meta_file} ${config_hash}`,
})

async function swap({ system }: Means): Promise<Taken> {
  try {
    const { error } = await system.swap()
    return { api: KERNEL, generation: null, error }
  } catch (thrown) {
    return { api: KERNEL, generation: null, error: toErrorData(thrown) }
  }
}

/** null: nothing runs under that name. */
export async function versionNow(means: Means, api: string): Promise<VersionHashes | null> {
  if (api !== KERNEL) return versionOf(await standingOf(means, api))
  return kernelVersion(await means.system.kernel())
}

async function takeOne(
  means: Means,
  { api, change, generation: before }: PlannedChange,
  paths: readonly string[],
): Promise<Taken> {
  const failed = (reason: string): Taken => ({ api, generation: before, error: failure(api, reason) })
  try {
    if (change === 'reload') {
      const { ok, error, generation, deferred } = await means.system.reload(api)
      if (!deferred) return { api, generation, error: ok ? null : (error ?? failure(api, 'it did not load')) }
    }
    const was = change === 'configure' ? await versionNow(means, api) : null
    const look = change === 'stop' ? gone : change === 'configure' ? configured(was) : live
    return (await until(means, api, look, paths)) ?? failed(`it did not take it within ${means.config.take_ms} ms`)
  } catch (thrown) {
    return { api, generation: before, error: toErrorData(thrown) }
  }
}

const failure = (api: string, reason: string): ErrorData => toErrorData(coded('service_failed', { api, reason }))

const OFF: ReadonlySet<ServiceState> = new Set(['failed', 'tripped', 'quarantined'])

type Look = (service: ServiceDetail | undefined, api: string) => Taken | undefined

const gone: Look = (service, api) =>
  service === undefined || service.generation === null ? { api, generation: null, error: null } : undefined

const live: Look = (service, api) => {
  if (service === undefined) return undefined
  const { state, stale, generation, last_error } = service
  if (state === 'live' && !stale) return { api, generation, error: null }
  const isRefused = state === 'live' ? stale && last_error !== null : OFF.has(state)
  return isRefused ? { api, generation, error: last_error ?? failure(api, `it is ${state}`) } : undefined
}

const configured =
  (before: VersionHashes | null): Look =>
  (service, api) =>
    isSameVersion(versionOf(service), before) && service?.stale !== true ? undefined : live(service, api)

/** What a look finds, at once or after something was told; undefined when nothing was found in time. */
async function until(means: Means, api: string, look: Look, paths: readonly string[] = []): Promise<Taken | undefined> {
  const { kernel, config, system } = means
  let told = (): void => {}
  const stops = ['service.*', 'config.error', 'kernel.batch'].map((type) => kernel.events.on(type, () => told()))
  const over = new AbortController()
  let isOver = false
  const late = kernel.sleep(config.take_ms, over.signal).then(
    () => void (isOver = true),
    () => void (isOver = true),
  )
  try {
    for (;;) {
      const heard = new Promise<void>((resolve) => {
        told = resolve
      })
      const found = look(await standingOf(means, api), api)
      if (found !== undefined) return found
      const { config_errors } = await system.status()
      const broken = config_errors.find(({ file }) => file !== undefined && paths.includes(file))
      if (broken !== undefined) return { api, generation: null, error: broken }
      if (isOver) return undefined
      await Promise.race([heard, late])
    }
  } finally {
    over.abort()
    for (const stop of stops) void stop()
  }
}

/** Runs again what it ran before; null: it is gone again. Rejects with why not. */
export async function takeBack(means: Means, api: string, before: VersionHashes | null): Promise<void> {
  if (api === KERNEL) {
    if (isSameVersion(await versionNow(means, api), before)) return
    const { error } = await swap(means)
    if (error !== null && !isSameVersion(await versionNow(means, api), before)) throw fromErrorData(error)
    return
  }
  // Whether the disk still counts as another version is not asked: its bytes are back, and nothing tells of that look.
  const isBack: Look = (service) =>
    isSameVersion(versionOf(service), before)
      ? { api, generation: service?.generation ?? null, error: null }
      : undefined
  const now = await standingOf(means, api)
  if (isBack(now, api) !== undefined) return
  if (before !== null && now !== undefined) await goBack(means, api)
  if ((await until(means, api, isBack)) !== undefined) return
  const { last_error = null } = (await standingOf(means, api)) ?? {}
  throw coded('service_failed', { api, reason: last_error?.message ?? 'it does not run what it ran before' })
}

/** The files are back already. A frozen system follows files by itself, or nothing at all: then the kernel goes back. */
async function goBack({ system }: Means, api: string): Promise<void> {
  const { frozen } = await system.status()
  if (frozen === 'self') return
  const { ok, deferred, error } = await (frozen === 'all' ? system.rollback(api) : system.reload(api))
  if (!ok && !deferred && error !== null) throw fromErrorData(error)
}
