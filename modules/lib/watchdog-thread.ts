/**
 * The watchdog's thread. It looks whether the main thread beats; when it does not, it pauses it through the inspector
 * (no port is opened), asks twice whose code stands on top, writes `runtime/stall.json` and ends the process by force.
 * Silence counts only while this thread itself runs on time, and never under a debugger. Runs from a `data:` URL, so it
 * imports nothing but `node:` and types. Started by `watchdog.ts`; `heard` and `judge` are pure.
 */
import { existsSync, renameSync, writeFileSync } from 'node:fs'
import { Session, type Debugger, type Runtime } from 'node:inspector'
import { isMainThread, workerData } from 'node:worker_threads'
import type { Stall } from './stall.ts'

/** Where the numbers stand that the main thread writes and this one reads; `name` begins the name last entered. */
export const PULSE = { beat: 0, debugged: 1, generation: 2, length: 3, name: 4 } as const
export const NAME_UNITS_MAX = 200

/** The function of the main thread that is asked about a place, by this symbol on its global object. */
export const EXPLAIN = 'meta-machine.explain'

export interface WatchdogData {
  watchdog: true
  pulse: Int32Array
  file: string
  /** a file of blanks, as many as the record of a standstill needs */
  room: string
  stall_ms: number
}

/** between two looks, while all is well and while it is silent */
const REST_MS = 200
const LOOK_MS = 50
/** the first question comes this long before the limit, so that two answers agree at the limit */
const CONFIRM_MS = 200
/** no answer for so long, twice: native code */
const ANSWER_MS = 250
/** Of standstills that nobody can be blamed for, and of waits without work, this many times the limit is borne. */
const PATIENCE = 10
const SAMPLES_MAX = 5
/** Between two turns of a loop of promises nothing stands on the stack: what runs next does. */
const STEPS_MAX = 10
/** of one processor, since the last beat: less is no work */
const BUSY_SHARE = 0.1

export interface Heard {
  beat: number
  /** ms, monotonic */
  at: number
  silent_ms: number
}

/** The next look. A gap in this thread's own looks is the machine's (suspended, overloaded), and hardly counts. */
export function heard(before: Heard, beat: number, now: number, debugged: boolean): Heard {
  if (beat !== before.beat || debugged) return { beat, at: now, silent_ms: 0 }
  return { beat, at: now, silent_ms: before.silent_ms + Math.min(now - before.at, REST_MS) }
}

export interface Place {
  service: string
  generation: number
  url: string
  /** 1-based, in the code as it runs */
  line: number
  column: number
  frame: string
  explained: Explained
}

/** What only the main thread knows about a place: where it stands in the source, and of which version it is. */
type Explained = Partial<Pick<Stall, 'file' | 'line' | 'column' | 'source_key' | 'config_hash'>>

/** Nothing was said: `mute`. Paused where no loaded code stands on the stack: `nobody`. */
export type Sample = Place | 'nobody' | 'mute'

export type Verdict = { kind: 'again' } | { kind: 'culprit'; place: Place } | { kind: 'guess' }

/**
 * Two answers that agree are enough, also two that did not come; code that calls others all the time is named by most of the answers. `busy`: the
 * process did work while it was silent, so it does not just wait for a disk or another process.
 */
export function judge(input: {
  samples: readonly Sample[]
  silent_ms: number
  stall_ms: number
  busy: boolean
}): Verdict {
  const { samples, silent_ms, stall_ms } = input
  if (silent_ms < stall_ms) return { kind: 'again' }
  const named = samples.filter((one): one is Place => typeof one === 'object' && one.service !== 'kernel')
  const [last, before] = named.toReversed()
  const isMute = samples.length > 1 && samples.slice(-2).every((one) => one === 'mute')
  if (isMute && last === undefined && input.busy) return { kind: 'guess' }
  if (last !== undefined && before?.service === last.service) return { kind: 'culprit', place: last }
  const worn = silent_ms >= PATIENCE * stall_ms
  if (named.length > 0 && (worn || (samples.length >= SAMPLES_MAX && named.length > samples.length / 2))) {
    return { kind: 'culprit', place: mostOften(named) }
  }
  return { kind: worn ? 'guess' : 'again' }
}

function mostOften(places: readonly Place[]): Place {
  const count = ({ service }: Place): number => places.filter((one) => one.service === service).length
  return places.reduce((most, one) => (count(one) > count(most) ? one : most))
}

/** The topmost frame of loaded code: packages and Node's own work for who called them. */
export function placeOf(frames: readonly Debugger.CallFrame[], urls: ReadonlyMap<string, string>): Sample {
  for (const { functionName, location } of frames) {
    const url = urls.get(location.scriptId) ?? ''
    const found = /\?s=([^&]+)&g=(\d+)/.exec(url)
    if (found === null) continue
    return {
      service: decodeURIComponent(found[1] ?? ''),
      generation: Number(found[2]),
      url,
      line: location.lineNumber + 1,
      column: (location.columnNumber ?? 0) + 1,
      frame: functionName,
      explained: {},
    }
  }
  return 'nobody'
}

/** The main thread's debugger, as long as it is needed. */
class Inspection {
  private readonly session = new Session()
  private readonly urls = new Map<string, string>()
  private steps = 0
  private hear: () => void = () => {}
  private paused: (sample: Sample) => void = () => {}

  open(): void {
    this.session.on('Debugger.scriptParsed', ({ params: { scriptId, url } }) => {
      if (url.includes('?s=')) this.urls.set(scriptId, url)
      this.hear()
    })
    this.session.on('Debugger.paused', ({ params }) => this.stopped(placeOf(params.callFrames, this.urls)))
    this.session.connectToMainThread()
    this.session.post('Debugger.enable', () => this.hear())
  }

  /** Resolves with what runs now, or when nothing has been heard for a while. The main thread goes on in any case. */
  ask(): Promise<Sample> {
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout
      const done = (sample: Sample): void => {
        clearTimeout(timer)
        this.hear = () => {}
        this.paused = () => {}
        resolve(sample)
      }
      this.hear = () => {
        clearTimeout(timer)
        timer = setTimeout(() => done('mute'), ANSWER_MS)
      }
      this.paused = done
      this.steps = STEPS_MAX
      this.hear()
      this.session.post('Debugger.pause')
    })
  }

  /** Paused, the main thread can be asked. */
  private stopped(sample: Sample): void {
    if (sample === 'nobody' && this.steps-- > 0) {
      this.session.post('Debugger.stepInto')
      return
    }
    if (typeof sample !== 'object') {
      this.session.post('Debugger.resume')
      this.paused(sample)
      return
    }
    const { url, line, column, service, generation } = sample
    const args = [url, line, column, service, generation].map((one) => JSON.stringify(one)).join()
    const expression = `globalThis[Symbol.for(${JSON.stringify(EXPLAIN)})]?.(${args})`
    const answered = (error: Error | null, answer?: Runtime.EvaluateReturnType): void => {
      this.session.post('Debugger.resume')
      this.paused(error === null ? { ...sample, explained: readExplained(answer?.result.value) } : sample)
    }
    this.session.post('Runtime.evaluate', { expression, silent: true }, answered)
  }

  /** A paused main thread goes on. */
  close(): void {
    this.session.disconnect()
  }
}

function readExplained(value: unknown): Explained {
  try {
    return (JSON.parse(String(value)) ?? {}) as Explained
  } catch {
    return {}
  }
}

type Suspect = Pick<Place, 'service' | 'generation'> & Partial<Place>

class WatchdogThread {
  private readonly data: WatchdogData
  private readonly limit: number
  private state: Heard = { beat: 0, at: performance.now(), silent_ms: 0 }
  private cpu = process.cpuUsage()
  private cpuAt = performance.now()

  constructor(data: WatchdogData) {
    this.data = data
    // The last beat may be as old as a rest when it is first seen.
    this.limit = data.stall_ms - REST_MS
  }

  async run(): Promise<never> {
    for (;;) {
      await pause(this.state.silent_ms === 0 ? REST_MS : LOOK_MS)
      this.look()
      if (this.state.silent_ms >= this.limit - Math.min(CONFIRM_MS, this.limit / 2)) await this.inspect()
    }
  }

  private look(): void {
    const { pulse } = this.data
    const beat = Atomics.load(pulse, PULSE.beat)
    this.state = heard(this.state, beat, performance.now(), Atomics.load(pulse, PULSE.debugged) === 1)
    if (this.state.silent_ms > 0) return
    this.cpu = process.cpuUsage()
    this.cpuAt = performance.now()
  }

  /** Ends with the process, or when the main thread beats again. */
  private async inspect(): Promise<void> {
    const inspection = new Inspection()
    const samples: Sample[] = []
    try {
      inspection.open()
      while (this.state.silent_ms > 0) {
        samples.push(await inspection.ask())
        this.look()
        if (this.state.silent_ms === 0) return
        const verdict = judge({ samples, silent_ms: this.state.silent_ms, stall_ms: this.limit, busy: this.isBusy() })
        if (verdict.kind === 'culprit') return this.end(verdict.place, false)
        if (verdict.kind === 'guess') return this.end(this.guess(samples), true)
        for (let looks = 0; looks < 3 && this.state.silent_ms > 0; looks++) {
          await pause(LOOK_MS)
          this.look()
        }
      }
    } finally {
      inspection.close()
    }
  }

  /** A wait takes nothing at all; a loop gets its share also of a machine with much else to do. */
  private isBusy(): boolean {
    const { user, system } = process.cpuUsage(this.cpu)
    return (user + system) / 1_000 > (performance.now() - this.cpuAt) * BUSY_SHARE
  }

  private guess(samples: readonly Sample[]): Suspect | undefined {
    const seen = samples.at(-1)
    if (typeof seen === 'object') return seen
    const { pulse } = this.data
    const name = pulse.subarray(PULSE.name, PULSE.name + Atomics.load(pulse, PULSE.length))
    const service = String.fromCharCode(...name)
    return service === '' ? undefined : { service, generation: pulse[PULSE.generation] ?? 0 }
  }

  private end(suspect: Suspect | undefined, guess: boolean): void {
    const { file = null, line = null, column = null, source_key = null, config_hash = null } = suspect?.explained ?? {}
    const stall: Stall = {
      time: Date.now(),
      pid: process.pid,
      service: suspect?.service ?? null,
      generation: suspect?.generation ?? null,
      source_key,
      config_hash,
      file,
      line,
      column,
      frame: suspect?.frame ?? null,
      guess,
      stalled_ms: Math.round(this.state.silent_ms) + REST_MS,
    }
    try {
      // Over the room that was kept for it: what loops may be what has filled the disk.
      const flag = existsSync(this.data.room) ? 'r+' : 'w'
      writeFileSync(this.data.room, `${JSON.stringify(stall, undefined, 2)}\n`, { mode: 0o600, flag })
      renameSync(this.data.room, this.data.file)
    } finally {
      // A disk that takes no writes must not keep a dead process alive.
      process.kill(process.pid, 'SIGKILL')
    }
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

if (!isMainThread && (workerData as WatchdogData | null)?.watchdog === true) {
  await new WatchdogThread(workerData as WatchdogData).run()
}
