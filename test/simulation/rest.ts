/**
 * A look at a simulated system that should have come to rest: what runs, what is left of what was under way, and what
 * should run. Waiting for rest has an end: what is not at rest by then is in the look.
 */
import { parseDocument } from 'yaml'
import type { GenerationRecord, ServiceRecord } from '../../modules/contracts/state.ts'
import { NEWER_META } from './files.ts'
import type { ServiceAtRest } from './history.ts'
import type { Actor } from './modules.ts'
import { KERNEL_FILE } from './kernels.ts'
import { asksOf, expected } from './oracle.ts'
import { at, META_FILE, type World } from './world.ts'

/** The longest waits: a drain, a queue, back-offs of a minute, and calls of 40 s behind one another. */
const REST_MS_MAX = 900_000
const LOOK_MS = 1_000
/** at least a sweep, a grace, a disk that is tried again, another kernel, and what they start */
const LOOKS_MIN = 12

/** What is under way for a service, in words; empty when nothing is. */
function underWay(service: ServiceRecord, now: number): string[] {
  const is: Record<string, boolean> = {
    'a movement': service.busy,
    'a version that drains': service.draining.size > 0,
    'a reload that was put off': (service.deferral?.retryAt ?? 0) > now,
    'a restart': service.supervision.timer !== undefined,
    'a time of grace': service.graceSince !== undefined,
    'a reload that was asked for': service.reloadWaiters.length > 0,
    'a queue': service.queue.length > 0,
  }
  return Object.keys(is).filter((name) => is[name])
}

const services = (world: World): ServiceRecord[] =>
  [...world.kernel.services.values()].filter(({ api }) => api !== 'kernel')

function isAtRest(world: World): boolean {
  return (
    !world.switchboard.probation &&
    !world.switchboard.handingOver &&
    world.open.size === 0 &&
    world.inside === 0 &&
    services(world).every((service) => underWay(service, world.clock.monotonic()).length === 0)
  )
}

/** Lets time pass until nothing is under way, and writes down how things stand then. */
export async function comeToRest(world: World): Promise<void> {
  const until = world.clock.monotonic() + REST_MS_MAX
  let looks = 0
  while (looks++ < LOOKS_MIN || (!isAtRest(world) && world.clock.monotonic() < until))
    await world.clock.advance(LOOK_MS)
  const isLive = (api: string): boolean => world.kernel.services.get(api)?.live !== undefined
  const newest = world.fs.textOf(at(NEWER_META)) === undefined ? META_FILE : NEWER_META
  // Two saves may have run into each other, or a half of one be brought back: such a meta file asks for nothing there is.
  const meta = parseDocument(world.fs.textOf(at(newest)) ?? '')
  const isWhole = meta.errors.length === 0 && meta.get('prog') === 'kernel'
  world.record({
    kind: 'rest',
    quiet: isAtRest(world),
    services: services(world).map((service) => lookAt(service, world.clock.monotonic())),
    expected: expected(world.fs, isLive, world.kernel.status().meta_file),
    kernel: {
      runs: world.kernelText,
      meta: world.kernel.status().meta_file,
      onDisk: isWhole ? (world.fs.textOf(at(KERNEL_FILE)) ?? '') : '',
      newest,
    },
  })
}

const openOf = ({ edges, inFlight }: GenerationRecord): number =>
  [...edges].reduce((open, edge) => open + edge.open, inFlight)

function lookAt(service: ServiceRecord, now: number): ServiceAtRest {
  const { live, desired, scan } = service
  const actor = (live?.instance as { _actor?: Actor } | undefined)?._actor
  return {
    api: service.api,
    base: (live?.desired ?? desired)?.base,
    askedBy: desired?.base,
    state: service.state,
    generation: live?.number,
    instance: actor?.number,
    asks: live === undefined ? undefined : asksOf(live.desired),
    stale: live !== undefined && (live.scan.key !== scan?.key || live.desired.hash !== desired?.hash),
    takenBack: service.refusedAttempt?.takenBack !== undefined,
    refusal: service.refusal?.code,
    refusalMessage: service.refusal?.message ?? '',
    left: leftOver(service, now),
  }
}

/** What must not be there when nothing is under way. */
function leftOver(service: ServiceRecord, now: number): string[] {
  const { live } = service
  const left = underWay(service, now)
  const note = (is: boolean, what: string): void => void (is && left.push(what))
  note(service.candidate !== undefined, 'a candidate')
  note(service.quietWith !== undefined, 'it is still becoming quiet')
  note(['starting', 'switching', 'draining', 'stopped'].includes(service.state), `the state ${service.state}`)
  note((service.state === 'live') !== (live !== undefined), `${service.state} and live do not agree`)
  if (live === undefined) return left
  const open = openOf(live)
  note(open !== 0, `${open} calls in flight`)
  note([...live.edges].some((edge) => edge.open < 0) || live.inFlight < 0, 'fewer than no calls in flight')
  note(live.onIdle !== undefined, 'somebody waits for the last call')
  note(live.caller.waiting.size > 0, `it waits for ${[...live.caller.waiting.keys()].join(' ')}`)
  note(live.caller.stopped, 'its caller is stopped')
  note(
    [...live.caller.edges].some((edge) => edge.open > 0),
    'open calls to others',
  )
  const users = [...service.held.values()].flatMap((held) => [...held.users])
  note(
    users.some((user) => user !== live),
    'a version that is gone holds something',
  )
  return left
}
