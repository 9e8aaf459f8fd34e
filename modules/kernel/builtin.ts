/**
 * Two ways into services that are not handles: the built-in service `kernel`, registered as a generation like any
 * other so that lists, tools and calls treat it alike, and `route`, by which a held resource reaches its service.
 */
import type { Contract, DesiredService, Method } from '../contracts/state.ts'
import { coded } from '../lib/errors.ts'
import { readContract } from '../lib/module-contract.ts'
import { callEnded } from './counts.ts'
import { createGeneration } from './generation.ts'
import { aspectRouteOf, openRoute } from './handle.ts'
import { KERNEL_METHODS, KernelService, type KernelActions } from './kernel-service.ts'
import type { Machine } from './machine.ts'
import { createService } from './service.ts'

export interface KernelServiceParts {
  instance: KernelService
  contract: Contract
}

/** Everything that can be done before the kernel runs: reading the schemas of its tools takes a while. */
export function prepareKernelService(machine: Machine, actions: KernelActions): KernelServiceParts {
  const instance = new KernelService(machine, actions)
  const contract = readContract(instance, 'kernel')
  const methods = contract.aspects.get('default')?.methods ?? new Map<string, Method>()
  const isOpen = ([name]: [string, unknown]): boolean => (KERNEL_METHODS as readonly string[]).includes(name)
  contract.aspects.set('default', { methods: new Map([...methods].filter(isOpen)), values: new Set() })
  return { instance, contract }
}

export function registerKernelService(machine: Machine, { instance, contract }: KernelServiceParts): void {
  const { clock, switchboard, metaFile } = machine.options
  const known = machine.services.get('kernel')
  const service = known ?? createService('kernel', 0)
  const scan = {
    entry: '',
    key: '',
    files: new Map(),
    texts: new Map(),
    stamps: new Map(),
    missing: [],
    modified_ms: 0,
  }
  const source = { desired: kernelConfig(metaFile), scan, configText: undefined }
  // One record over all kernels: streams of events that are open go on.
  const generation = known?.live ?? createGeneration(machine, service, source)
  const { desired } = source
  Object.assign(generation, { state: 'live', instance, contract, desired, liveAt: clock.monotonic() })
  Object.assign(service, {
    state: 'live',
    live: generation,
    lastNumber: 1,
    desired: generation.desired,
    scan,
    dirty: false,
  })
  machine.services.set('kernel', service)
  for (const [name, aspect] of contract.aspects) {
    const route = aspectRouteOf(switchboard, 'kernel', name)
    openRoute(route, aspect, generation.admission, machine.calls, name === 'default')
  }
}

const kernelConfig = (metaFile: string): DesiredService => ({
  api: 'kernel',
  prog: 'kernel',
  file: metaFile,
  base: '',
  version: null,
  params: {},
  needs: [],
  reload: undefined,
  limits: {},
  grants: undefined,
  sandbox: undefined,
  restart: undefined,
  record: undefined,
  domain: undefined,
  description: 'the kernel itself',
  hash: '',
})

/** A held resource calls its own service: private methods too, counted and drained like any call. */
export async function routeHeld(machine: Machine, api: string, method: string, args: unknown[]): Promise<unknown> {
  const service = machine.services.get(api)
  if (service === undefined) throw coded('service_stopped', { api })
  const generation = service.live
  // While it switches, what comes from outside waits like any new call.
  if (generation?.instance === undefined || service.state === 'switching') {
    await machine.calls.untilLive(service)
    return routeHeld(machine, api, method, args)
  }
  const fn = (generation.instance as Record<string, unknown>)[method]
  if (typeof fn !== 'function') throw coded('method_not_found', { api, method })
  generation.calls++
  generation.inFlight++
  try {
    return await (fn as (...args: unknown[]) => unknown).apply(generation.instance, args)
  } catch (thrown) {
    generation.errors++
    machine.faults.noteError(service, thrown, generation)
    throw thrown
  } finally {
    generation.inFlight--
    callEnded(generation)
  }
}
