/**
 * The bench of one gate: versions of one service tried in sandboxes, the incumbent and the candidate alike, and calls made
 * on them. What they ask of others is answered from the recordings. Everything it builds it ends. Trials are built when a
 * check first asks for them, so that a change which fails early costs no process.
 */
import type { KernelApi } from '../../contracts/module.ts'
import type { RecordedAnswer, RecordedCall, RecordingsApi } from '../../contracts/recordings.ts'
import type { Trial, TrialCall, TrialRequest } from '../../contracts/trial.ts'
import { CodedError, coded, codeOf, reasonOf } from '../../lib/errors.ts'
import type { Candidate, Subject } from './candidate.ts'
import type { Config } from './config.ts'
import type { Noise } from './outcome.ts'
import type { AskingCall } from './made-answers.ts'
import { Probe } from './probe.ts'
import { worldOf } from './trial-world.ts'

export interface Call {
  aspect: string
  method: string
  args: readonly unknown[]
}

export interface ProbeOptions {
  tasks?: boolean
}

const BUSY: ReadonlySet<string> = new Set([
  'module_timeout',
  'init_timeout',
  'sandbox_full',
  'sandbox_wall',
  'sandbox_cpu',
  'sandbox_host_died',
  'stopped',
])

export interface Three {
  live: Probe
  again: Probe
  next: Probe
}

export interface Working {
  was: Probe
  is: Probe
  /** who is measured first */
  first: 'was' | 'is'
}

export type Which = 'incumbent' | 'candidate'

export interface BenchParts {
  kernel: KernelApi
  config: Config
  candidate: Candidate
  subject: Subject
}

/** Questions whose answers are kept for one gate. */
const ANSWERS_MAX = 10_000
/** Calls that asked others. */
const ASKING_MAX = 400

/** undefined: what cannot be written down is asked anew. */
function questionOf({ api, aspect, method, args }: TrialCall): string | undefined {
  try {
    return JSON.stringify([api, aspect, method, args])
  } catch {
    return undefined
  }
}

export class Bench {
  readonly #parts: BenchParts
  readonly #trials = new Set<Trial>()
  #isOver = false
  #rows: Promise<RecordedCall[]> | undefined
  /** why the incumbent itself cannot be tried; null: it can */
  #untried: Promise<string | null> | undefined

  readonly #asking: { call: Call; effects: readonly string[] }[] = []
  readonly #probes = new Map<keyof Three, Promise<Probe>>()
  #working: Promise<Working> | undefined
  readonly #answers = new Map<string, Promise<RecordedAnswer>>()
  /** to what was never asked: the same for all of a method */
  readonly #alikes = new Map<string, RecordedAnswer>()
  /** what differs by itself, by aspect and method; known better with each check */
  readonly noise = new Map<string, Noise>()
  /** both versions that work, when they have been used until they hold much */
  filled: Promise<Working> | undefined

  constructor(parts: BenchParts) {
    this.#parts = parts
  }

  /** Recorded calls that can be made again, oldest first. */
  rows(): Promise<RecordedCall[]> {
    const { kernel, config, subject } = this.#parts
    this.#rows ??= kernel
      .getApi<RecordingsApi>('recordings')
      .calls(subject.api, { limit: config.replay_calls_max })
      .then(({ calls }) => calls.filter(({ redacted }) => !redacted))
    return this.#rows
  }

  /** Asked first: the version that serves is tried, and kept for the checks that follow. */
  untried(): Promise<string | null> {
    this.#untried ??= this.#kept('live').then(
      () => null,
      (thrown: unknown) => {
        // A machine that is busy says nothing about the version: the check fails, and is not skipped.
        if (BUSY.has(codeOf(thrown) ?? '')) throw thrown
        return reasonOf(thrown)
      },
    )
    return this.#untried
  }

  async trial(
    which: Which,
    options: ProbeOptions & { watched?: boolean } = {},
    answer?: TrialRequest['answer'],
  ): Promise<Trial> {
    const { kernel, candidate, subject } = this.#parts
    const entry = subject.detail.source_file
    if (entry === null) throw coded('service_stopped', { api: subject.api })
    const { watched = false, tasks = false } = options
    const world = watched ? worldOf(entry) : undefined
    const trial = await kernel.tryVersion({
      api: subject.api,
      version: 'live',
      sandbox: true,
      tasks,
      limits: { cpu_ms: 1_000, memory_mb: 64, cpu_share: 1 },
      texts: { ...(which === 'candidate' ? candidate.texts : {}), ...world?.texts },
      ...(world === undefined ? {} : { entry: world.entry }),
      answer: answer ?? (() => Promise.reject(coded('replay_unanswered', { api: subject.api, method: '' }))),
    })
    this.#trials.add(trial)
    if (this.#isOver) {
      await this.end(trial)
      throw coded('service_stopped', { api: subject.api })
    }
    return trial
  }

  /** One whose calls are made in there, many at a time. */
  async probe(which: Which, options: ProbeOptions = {}): Promise<Probe> {
    const { config } = this.#parts
    const trial = await this.trial(which, { ...options, watched: true }, async (call: TrialCall) => {
      const { found, outcome, value } = await this.#answer(call)
      if (found === 'none') throw coded('replay_unanswered', { api: call.api, method: call.method })
      if (outcome === 'ok') return { found, value }
      throw new CodedError(outcome, String(value), '')
    })
    return new Probe(trial, config.call_ms)
  }

  /**
   * The same for every version and as long as the gate works: the service goes on being called meanwhile, and what is
   * recorded last changes with it.
   */
  #answer(call: TrialCall): Promise<RecordedAnswer> {
    const { kernel, subject } = this.#parts
    const ask = async (): Promise<RecordedAnswer> => {
      const answer = await kernel.getApi<RecordingsApi>('recordings').answer(subject.api, call)
      if (answer.found !== 'alike') return answer
      const kind = JSON.stringify([call.api, call.aspect, call.method])
      const first = this.#alikes.get(kind) ?? answer
      this.#alikes.set(kind, first)
      return first
    }
    const key = questionOf(call)
    if (key === undefined) return ask()
    const known = this.#answers.get(key)
    if (known !== undefined) return known
    const answer = ask()
    if (this.#answers.size < ANSWERS_MAX) this.#answers.set(key, answer)
    answer.catch(() => this.#answers.delete(key))
    return answer
  }

  /** The incumbent twice and the candidate, which went the same way so far. They are kept for the checks that follow. */
  async three(): Promise<Three> {
    const [live, again, next] = await Promise.all([this.#kept('live'), this.#kept('again'), this.#kept('next')])
    return { live, again, next }
  }

  /** Three new ones: a sandbox of those before is gone. */
  async renew(): Promise<void> {
    const before = [...this.#probes.values()]
    this.#probes.clear()
    await Promise.all(before.map(async (probe) => this.end((await probe).trial)))
  }

  #kept(name: keyof Three): Promise<Probe> {
    const probe = this.#probes.get(name) ?? this.probe(name === 'next' ? 'candidate' : 'incumbent')
    this.#probes.set(name, probe)
    return probe
  }

  /** Both versions while their background works, kept as well. */
  working(): Promise<Working> {
    this.#working ??= Promise.all([
      this.probe('incumbent', { tasks: true }),
      this.probe('candidate', { tasks: true }),
    ]).then(([was, is]) => ({ was, is, first: 'was' }))
    return this.#working
  }

  /** The same once more on new processes, all in the other order, for as long as `work` takes: what one process is like says nothing. */
  async anew<T>(work: (pair: Working) => Promise<T>): Promise<T> {
    const is = await this.probe('candidate', { tasks: true })
    const was = await this.probe('incumbent', { tasks: true })
    try {
      return await work({ was, is, first: 'is' })
    } finally {
      await Promise.all([this.end(is.trial), this.end(was.trial)])
    }
  }

  /** A recorded call asked this of others: what they answer may be changed in it. */
  noteAsked(call: Call, effects: readonly string[]): void {
    if (effects.length > 0 && this.#asking.length < ASKING_MAX) this.#asking.push({ call, effects })
  }

  async asking(): Promise<AskingCall[]> {
    const calls: AskingCall[] = []
    for (const { call, effects } of this.#asking) {
      const asked = new Map<string, unknown>()
      for (const key of effects) {
        const answer = await this.#answers.get(key)
        if (answer?.outcome === 'ok' && answer.value !== null && answer.value !== undefined)
          asked.set(key, answer.value)
      }
      const { aspect, method, args } = call
      if (asked.size > 0) calls.push({ aspect, method, args, asked })
    }
    return calls
  }

  /** Never rejects. */
  async end(trial: Trial): ReturnType<Trial['end']> {
    this.#trials.delete(trial)
    return trial.end()
  }

  /** With those that are begun just now: what was begun ahead is not always needed. */
  async endAll(): Promise<void> {
    this.#isOver = true
    await Promise.all([...this.#trials].map((trial) => this.end(trial)))
    await this.filled?.catch(() => undefined)
  }
}

export async function inTime<T>(kernel: KernelApi, ms: number, work: Promise<T>, what: string): Promise<T> {
  const over = new AbortController()
  const late = kernel.sleep(ms, over.signal).then(() => {
    throw coded('deadline_exceeded', { api: kernel.api, method: what, ms })
  })
  late.catch(() => undefined)
  try {
    return await Promise.race([work, late])
  } finally {
    over.abort()
  }
}
