/**
 * What holds for every call: it is made once or refused once; the answer is from the version that took it in; a service
 * that is live takes it in at once; and a refusal says what was so at that time.
 */
import { LIMITS } from '../../modules/kernel/limits.ts'
import type { Dated } from './history.ts'
import { OWN } from './modules.ts'

type Of<K extends Dated['kind']> = Extract<Dated, { kind: K }>

interface Call {
  called: Of<'called'>
  calledAt: number
  returnedAt: number
  entered: Of<'entered'>[]
  enteredAt: number
  answered: Of<'answered'>[]
  answeredAt: number
}

/** What a rule may ask of the rest of the history. */
interface Background {
  instances: Map<number, Of<'born'>>
  /** places in the history where a service went live */
  lives: Map<string, number[]>
  overruns: Set<string>
  stoppingAt: number
}

const FOR_ALL = new Set(['now', 'slow', 'sleepy', 'add', 'fails', 'throws', 'thenable', 'via', 'ask'])
const OUTSIDE = new Set(['one', 'two', 'three', 'http'])

export function callRules(entries: readonly Dated[]): string[] {
  const { calls, background } = gather(entries)
  const wrong: string[] = []
  for (const call of calls.values()) {
    const what = judge(call, background)
    const { call: number, api, method, from } = call.called
    if (what !== undefined) wrong.push(`call ${number} of ${from} to ${api}.${method}: ${what}`)
  }
  return [...wrong, ...backwards(entries, calls, background.instances)]
}

function gather(entries: readonly Dated[]): { calls: Map<number, Call>; background: Background } {
  const calls = new Map<number, Call>()
  const background: Background = { instances: new Map(), lives: new Map(), overruns: new Set(), stoppingAt: Infinity }
  for (const [place, entry] of entries.entries()) {
    const call = 'call' in entry ? calls.get(entry.call) : undefined
    if (entry.kind === 'called') {
      const none = { entered: [], answered: [], enteredAt: Infinity, answeredAt: Infinity, returnedAt: Infinity }
      calls.set(entry.call, { called: entry, calledAt: place, ...none })
    } else if (entry.kind === 'returned' && call !== undefined) call.returnedAt = place
    else if (entry.kind === 'entered' && call !== undefined) {
      call.entered.push(entry)
      call.enteredAt = Math.min(call.enteredAt, place)
    } else if (entry.kind === 'answered' && call !== undefined) {
      call.answered.push(entry)
      call.answeredAt = place
    } else if (entry.kind === 'born') background.instances.set(entry.instance, entry)
    else if (entry.kind === 'machine') noteMachine(entry, place, background)
  }
  return { calls, background }
}

function noteMachine({ type, api, generation }: Of<'machine'>, place: number, background: Background): void {
  if (type === 'service.live') background.lives.set(api, [...(background.lives.get(api) ?? []), place])
  if (type === 'service.drain_overrun') background.overruns.add(`${api} ${generation}`)
  if (type === 'kernel.stopping') background.stoppingAt = place
}

function judge(call: Call, background: Background): string | undefined {
  const { called, entered, answered } = call
  const [first] = entered
  const [outcome] = answered
  if (entered.length > 1) return `it ran ${entered.length} times`
  if (outcome === undefined) return 'it was never answered'
  if (answered.length > 1) return `it was answered ${answered.length} times`
  // Nobody enters before the first item is asked for, and that may be a moment later.
  if (called.state === 'live' && FOR_ALL.has(called.method) && call.enteredAt > call.returnedAt) {
    if (outcome.code !== 'caller_stopped') return `the service was live and did not take it in (${outcome.code})`
  }
  const { code, answer, generation } = outcome
  if (code !== undefined) return whyWrong(call, code, background)
  if (first === undefined) return 'it was answered and never ran'
  if (answer === undefined) return called.method === 'stream' ? undefined : 'its answer is empty'
  if (answer.call !== called.call) return `it got the answer of call ${answer.call}`
  if (answer.instance !== first.instance) return `#${first.instance} took it in and #${answer.instance} answered`
  const by = background.instances.get(first.instance)
  if (by?.api !== called.api) return `${by?.api} answered`
  if (generation !== undefined && generation !== by.generation) return `g${by.generation} answered as g${generation}`
  return undefined
}

/** Whether a code fits what was so; undefined when it does. */
function whyWrong(call: Call, code: string, background: Background): string | undefined {
  const { called, entered, answered } = call
  const states = [called.state, answered[0]?.state ?? '']
  const took = (answered[0]?.at ?? 0) - called.at
  const was = (...some: string[]): boolean => states.some((state) => some.includes(state))
  const by = background.instances.get(entered[0]?.instance ?? -1)
  const hasOverrun = by !== undefined && background.overruns.has(`${by.api} ${by.generation}`)
  const isStopping = call.answeredAt > background.stoppingAt
  const unless = (fits: boolean): string | undefined =>
    fits ? undefined : `refused with ${code} after ${took} ms; the service was ${states.join(', then ')}`
  switch (code) {
    case OWN:
      return unless(by !== undefined && ['fails', 'throws'].includes(called.method))
    case 'stopped':
    case 'generation_retired':
      return unless(hasOverrun)
    case 'deadline_exceeded':
      return unless(called.deadline !== undefined && took >= called.deadline)
    case 'call_aborted':
      return unless(called.aborts)
    default:
      if (by !== undefined) return `it ran and was refused with ${code}`
  }
  switch (code) {
    case 'service_not_found':
      return unless(was('absent'))
    case 'service_stopped':
      return unless(was('draining', 'stopped', 'absent'))
    case 'service_failed':
      return unless(was('failed'))
    case 'caller_stopped':
      return unless(!OUTSIDE.has(called.from))
    case 'kernel_stopping':
      return unless(isStopping)
    case 'queue_timeout':
      return unless(took >= LIMITS.queue_ms && !wentLive(call, background))
    case 'method_not_found':
      return unless(['extra', 'none'].includes(called.method))
    case 'private_member':
    case 'lifecycle_member':
      return unless(['_actor', 'init'].includes(called.method))
    case 'needs_ring':
    // What is replaced together with its caller cannot answer it.
    case 'reload_deferred':
      return unless(!OUTSIDE.has(called.from))
    default:
      return unless(was('tripped', 'quarantined'))
  }
}

const wentLive = (call: Call, { lives }: Background): boolean =>
  (lives.get(call.called.api) ?? []).some((place) => place > call.calledAt && place < call.answeredAt)

/** A call that comes later is never taken in by an older version. */
function backwards(entries: readonly Dated[], calls: Map<number, Call>, instances: Background['instances']): string[] {
  const wrong: string[] = []
  const latest = new Map<string, number>()
  for (const entry of entries) {
    if (entry.kind !== 'entered') continue
    const by = instances.get(entry.instance)
    if (by === undefined) continue
    const before = latest.get(by.api) ?? 0
    if (by.generation < before) {
      const { method } = calls.get(entry.call)?.called ?? { method: '?' }
      wrong.push(`call ${entry.call} to ${by.api}.${method}: taken in by g${by.generation} after g${before}`)
    }
    latest.set(by.api, Math.max(before, by.generation))
  }
  return wrong
}
