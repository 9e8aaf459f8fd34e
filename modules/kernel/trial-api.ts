/**
 * What a version gets that is only tried: the shape of `KernelApi`, without its reach. Calls go to who runs the trial;
 * events are neither heard nor told; what services hold over their versions (sockets, connections)
 * is refused, since it would be made a second time. Background work runs where who tries it asks for that.
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
  { answer, tasks = false }: TrialRequest,
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
    spawn: (label, work) => {
      if (tasks) isolator.spawn(label, work)
    },
    sleep: (ms, signal) => isolator.sleep(ms, signal),
    every: (ms, work, label) => (tasks ? repeat(isolator, ms, work, label ?? `every ${ms} ms`) : nothing),
    // A pattern of hours or days has no turn within a trial.
    cron: () => nothing,
    observe: () => nothing,
    prompt: (path) => readPrompt(machine, path),
    log: quiet(log.child(`${api} (trial)`)),
    events,
    paths: pathsOf(root),
    clock,
  }
}

function repeat(isolator: ModuleIsolator, ms: number, work: () => unknown, label: string): () => void {
  const over = new AbortController()
  const record = isolator.addBackground(label, async (signal) => {
    const both = AbortSignal.any([signal, over.signal])
    while (!both.aborted) {
      await isolator.sleep(ms, both)
      await work()
    }
  })
  isolator.startOne(record)
  return () => {
    isolator.background.delete(record)
    over.abort(coded('stopped'))
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
