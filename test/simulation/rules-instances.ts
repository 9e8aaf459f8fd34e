/**
 * What holds for every instance of a module: nothing reaches it before it is ready or after its end has begun, its work
 * never runs twice at once, and in the end nothing of it is left: no version, no evaluation, no held resource.
 */
import { LIMITS } from '../../modules/kernel/limits.ts'
import type { Dated, Phase } from './history.ts'

type Of<K extends Dated['kind']> = Extract<Dated, { kind: K }>

interface Life {
  born: Of<'born'>
  phases: Set<Phase>
  isRunning: boolean
  toldAt: number | undefined
  wasLive: boolean
  /** those that were there when it was made, though nothing can be shared with them */
  beside: string[]
}

interface Judging {
  lives: Map<number, Life>
  overruns: ReadonlySet<string>
  wrong: string[]
  /** resources that are held now, by service and key */
  held: Map<string, number>
  /** number → service */
  evaluations: Map<number, string>
}

export function instanceRules(entries: readonly Dated[]): string[] {
  const overruns = new Set<string>()
  for (const entry of entries) {
    if (entry.kind !== 'machine' || entry.type !== 'service.drain_overrun') continue
    overruns.add(`${entry.api} ${entry.generation}`)
  }
  const judging: Judging = { lives: new Map(), overruns, wrong: [], held: new Map(), evaluations: new Map() }
  for (const entry of entries) take(entry, judging)
  return [...judging.wrong, ...leftOver(entries, judging)]
}

function take(entry: Dated, judging: Judging): void {
  const { lives, wrong, held, evaluations } = judging
  switch (entry.kind) {
    case 'born':
      lives.set(entry.instance, {
        born: entry,
        phases: new Set(),
        isRunning: false,
        toldAt: undefined,
        wasLive: false,
        beside: beside(entry, lives),
      })
      break
    case 'entered':
    case 'left':
      passage(entry, judging)
      break
    case 'life':
      phase(entry, judging)
      break
    case 'machine':
      if (entry.type === 'service.live') wentLive(entry, judging)
      break
    case 'held': {
      const name = `${entry.api} ${entry.key}`
      if (held.has(name)) wrong.push(`${name} is held twice`)
      held.set(name, entry.resource)
      break
    }
    case 'released': {
      const name = `${entry.api} ${entry.key}`
      if (held.get(name) !== entry.resource) wrong.push(`${name} is released and was not held`)
      held.delete(name)
      break
    }
    case 'evaluated':
      evaluations.set(entry.evaluation, entry.api)
      break
    case 'dropped':
      if (!evaluations.delete(entry.evaluation)) wrong.push(`evaluation ${entry.evaluation} is dropped twice`)
      break
    case 'broke':
      wrong.push(entry.what)
      break
    default:
  }
}

/** Versions that serve or drain when this one is made, where one of the two can share nothing. */
function beside(born: Of<'born'>, lives: ReadonlyMap<number, Life>): string[] {
  const isExclusive = (one: Of<'born'>): boolean => one.mode === 'exclusive'
  return [...lives.values()]
    .filter(({ born: other, wasLive, phases }) => other.api === born.api && wasLive && !phases.has('shutdown'))
    .filter((life) => isExclusive(born) || isExclusive(life.born))
    .map(named)
}

const named = ({ born }: Life): string => `${born.api} g${born.generation} #${born.instance}`

function passage({ kind, call, instance }: Of<'entered' | 'left'>, { lives, overruns, wrong }: Judging): void {
  const life = lives.get(instance)
  if (life === undefined) return
  const ended = life.phases.has('shutdown')
  if (kind === 'entered') {
    if (!life.phases.has('ready')) wrong.push(`call ${call} entered ${named(life)} before its init() had ended`)
    if (ended) wrong.push(`call ${call} entered ${named(life)} after its shutdown() began`)
  } else if (ended && !overruns.has(`${life.born.api} ${life.born.generation}`)) {
    wrong.push(`call ${call} was still in ${named(life)} when its shutdown() began`)
  }
}

const ONCE: readonly Phase[] = ['init', 'ready', 'tested', 'shutdown', 'ended']

function phase(entry: Of<'life'>, { lives, wrong }: Judging): void {
  const life = lives.get(entry.instance)
  if (life === undefined) return
  if (life.phases.has(entry.phase) && ONCE.includes(entry.phase)) {
    wrong.push(`${named(life)} went through ${entry.phase} twice`)
  }
  life.phases.add(entry.phase)
  if (entry.phase === 'told') life.toldAt = entry.at
  if (entry.phase === 'ran') life.isRunning = false
  if (entry.phase !== 'run') return
  for (const other of lives.values()) {
    if (!other.isRunning || other.born.api !== life.born.api) continue
    const told = other.toldAt === undefined ? 0 : entry.at - other.toldAt
    if (told < LIMITS.task_stop_ms) wrong.push(`${named(life)} began run() while that of ${named(other)} went on`)
  }
  Object.assign(life, { isRunning: true, toldAt: undefined })
}

function wentLive({ api, generation, rolledBack }: Of<'machine'>, { lives, wrong }: Judging): void {
  const life = [...lives.values()].findLast(({ born }) => born.api === api && born.generation === generation)
  if (life === undefined) {
    wrong.push(`${api} g${generation} is live and has no instance`)
    return
  }
  if (life.wasLive) wrong.push(`${named(life)} went live twice`)
  if (!life.phases.has('ready')) wrong.push(`${named(life)} went live before its init() had ended`)
  if (life.phases.has('shutdown')) wrong.push(`${named(life)} went live after its shutdown() began`)
  // A way back cannot wait for what drains.
  if (!rolledBack && life.beside.length > 0) wrong.push(`${named(life)} was made beside ${life.beside.join(', ')}`)
  life.wasLive = true
}

function leftOver(entries: readonly Dated[], { lives, held, evaluations }: Judging): string[] {
  if (entries.at(-1)?.kind !== 'end') return []
  const wrong: string[] = []
  for (const life of lives.values()) {
    if (life.wasLive && !life.phases.has('shutdown')) wrong.push(`${named(life)} was never shut down`)
    if (life.isRunning) wrong.push(`run() of ${named(life)} never ended`)
  }
  for (const name of held.keys()) wrong.push(`${name} was never released`)
  for (const [evaluation, api] of evaluations) {
    if (api !== 'kernel') wrong.push(`evaluation ${evaluation} of ${api} was never dropped`)
  }
  // The last one ends with the process.
  const kernels = [...evaluations.values()].filter((api) => api === 'kernel').length
  if (kernels > 1) wrong.push(`${kernels - 1} kernels that were replaced were never dropped`)
  return wrong
}
