/**
 * A version that is tried, as who tries it sees it: its methods, its state, what it used, what it lost hold of, and how it
 * ended. Made by `trial.ts`. Nothing of it goes on after `end`.
 */
import type { ErrorData } from '../contracts/errors.ts'
import type { VersionSource } from '../contracts/changes.ts'
import type { MethodInfo } from '../contracts/kernel.ts'
import type { ModuleClass, ModuleInstance } from '../contracts/module.ts'
import type { Evaluated } from '../contracts/seams.ts'
import type { AspectContract, Contract } from '../contracts/state.ts'
import type { Trial, TrialContract, TrialEnd } from '../contracts/trial.ts'
import { coded, toErrorData } from '../lib/errors.ts'
import { aspectOf, LIFECYCLE_NAMES, readAspect } from '../lib/module-contract.ts'
import { nearText } from '../lib/near.ts'
import { quickCopy } from '../lib/quick-copy.ts'
import { within } from '../lib/within.ts'
import type { ModuleIsolator } from './isolator.ts'
import type { Limits } from './limits.ts'
import type { Machine } from './machine.ts'

interface TrialParts {
  machine: Machine
  api: string
  source: VersionSource
  limits: Limits
  isolator: ModuleIsolator
  evaluated: Evaluated
  faults: ErrorData[]
}

export interface TrialVersion extends TrialParts {
  instance: ModuleInstance
  contract: Contract
  type: ModuleClass
}

export function trialOf(version: TrialVersion): Trial {
  const { api, source, instance, contract, evaluated, faults, type } = version
  const state = new TrialState(version)
  let ended: Promise<TrialEnd> | undefined
  return {
    source_hash: source.scan.key,
    config_hash: source.desired.hash,
    contract: plainContract(contract, instance, type),
    faults,
    end: () => (ended ??= endTrial(version)),
    usage: async () => (await evaluated.usage?.()) ?? null,
    selfTest: async () => void (await instance.selfTest?.()),
    handOver: () => state.handOver(),
    takeOver: (given, from) => state.takeOver(given, from),
    aspect: async (name) => {
      const found = await aspectNamed(version, name)
      return found === undefined ? null : methodsOf(found)
    },
    async call(aspect, method, args) {
      const known = await aspectNamed(version, aspect)
      const found = known?.methods.get(method)
      if (found === undefined)
        throw coded('method_not_found', { api, method, near: nearText(method, known?.methods.keys() ?? []) })
      if (found.info.kind === 'stream') throw coded('trial_refused', { api, reason: 'streams are not tried' })
      return await found.fn.apply(found.self, [...args])
    },
  }
}

class TrialState {
  private readonly version: TrialVersion

  constructor(version: TrialVersion) {
    this.version = version
  }

  async handOver(): Promise<unknown> {
    const { instance, evaluated } = this.version
    await evaluated.fetchState?.()
    // A copy, as for the next version: what it goes on to change is its own.
    return typeof instance.handOver === 'function' ? structuredClone(instance.handOver()) : undefined
  }

  async takeOver(given: unknown, from: string): Promise<void> {
    const { instance, evaluated } = this.version
    instance.takeOver?.(quickCopy(given), from)
    await evaluated.stateArrived?.()
  }
}

async function aspectNamed(
  { contract, instance, evaluated }: TrialVersion,
  name: string,
): Promise<AspectContract | undefined> {
  const known = contract.aspects.get(name)
  if (known !== undefined) return known
  await evaluated.fetchAspect?.(name)
  const late = aspectOf(instance, name)
  return late === undefined ? undefined : readAspect(late)
}

const methodsOf = ({ methods }: AspectContract): MethodInfo[] => [...methods.values()].map(({ info }) => info)

function plainContract({ aspects, tools }: Contract, instance: ModuleInstance, type: ModuleClass): TrialContract {
  const has = (name: string): boolean => typeof (instance as Record<string, unknown>)[name] === 'function'
  const main = aspects.get('default')
  return {
    methods: main === undefined ? [] : methodsOf(main),
    tools,
    lifecycle: [...LIFECYCLE_NAMES].filter((name) => name !== 'constructor' && has(name)),
    state_version: typeof type.version === 'string' ? type.version : '1',
  }
}

export async function endTrial(version: TrialParts & { instance: ModuleInstance | undefined }): Promise<TrialEnd> {
  const { machine, limits, isolator, evaluated, instance } = version
  const { clock } = machine.options
  isolator.abortTasks()
  const tasks_ended = await isolator.tasksEnded(limits.task_stop_ms)
  const since = clock.monotonic()
  const late = (): Error => coded('init_timeout', { phase: 'shutdown', ms: limits.shutdown_ms })
  const work = (async () => instance?.shutdown?.())()
  const error = await within(clock, limits.shutdown_ms, work, late).then(() => null, toErrorData)
  const shutdown_ms = clock.monotonic() - since
  await isolator.end()
  evaluated.release()
  return { tasks_ended, shutdown_ms, error }
}
