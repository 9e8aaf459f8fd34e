/**
 * What a version gets that is only tried: the shape of `KernelApi`, without its reach. Calls go to who runs the trial;
 * events are neither heard nor told; tasks do not run; what services hold over their versions (sockets, connections)
 * is refused, since it would be made a second time.
 */
import type { EventsApi, KernelApi } from '../contracts/module.ts'
import type { TrialRequest } from '../contracts/trial.ts'
import { coded } from '../lib/errors.ts'
import type { ModuleIsolator } from './isolator.ts'
import { pathsOf, readPrompt } from './given.ts'
import type { Machine } from './machine.ts'

export function trialApi(
  machine: Machine,
  api: string,
  generation: number,
  isolator: ModuleIsolator,
  { answer }: TrialRequest,
): KernelApi {
  const { clock, log, root } = machine.options
  const nothing = (): void => undefined
  const refused = (what: string): Promise<never> => Promise.reject(coded('trial_refused', { api, reason: what }))
  const events: EventsApi = { on: () => nothing, emit: nothing }
  return {
    api,
    generation,
    getApi: ((name: string) => trialHandle(String(name), 'default', answer)) as KernelApi['getApi'],
    own: (release, label) => isolator.own(release, label),
    hold: (key) => refused(`it holds \`${key}\`, which is made once for all versions`),
    tryVersion: () => refused('a version that is tried tries no other'),
    spawn: nothing,
    sleep: (ms, signal) => isolator.sleep(ms, signal),
    every: () => nothing,
    cron: () => nothing,
    observe: () => nothing,
    prompt: (path) => readPrompt(machine, path),
    log: quiet(log.child(`${api} (trial)`)),
    events,
    paths: pathsOf(root),
    clock,
  }
}

/** What it says is no more than a note. */
function quiet(log: KernelApi['log']): KernelApi['log'] {
  const { debug } = log
  return { debug, info: debug, warn: debug, error: debug, child: () => quiet(log) }
}

function trialHandle(api: string, aspect: string, answer: TrialRequest['answer']): object {
  const target: Record<string, unknown> = {
    as: (other: string) => trialHandle(api, other, answer),
    with: () => trialHandle(api, aspect, answer),
    toString: () => `[handle ${api}]`,
  }
  return new Proxy(target, {
    get(known, name) {
      if (typeof name === 'symbol' || name === 'then') return undefined
      // A promise in any case: what answers may throw.
      return known[name] ?? (async (...args: unknown[]) => answer({ api, aspect, method: name, args }))
    },
  })
}
