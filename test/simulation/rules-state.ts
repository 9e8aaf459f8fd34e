/**
 * What holds for the state of a service: what was acknowledged is carried to the next version, nothing is counted after
 * it was handed over, and no step of background work is left out or done twice.
 */
import type { Dated } from './history.ts'

type Of<K extends Dated['kind']> = Extract<Dated, { kind: K }>

interface State {
  born: Of<'born'>
  n: number
  steps: number
  /** the last it handed over */
  gave: { n: number; steps: number } | undefined
  /** counted or stepped since it handed over last */
  movedSince: boolean
  took: { n: number; steps: number } | undefined
  mode: string | undefined
  /** its own handOver() or takeOver() failed: the other one has nothing to go on with */
  failedAt: string | undefined
}

export function stateRules(entries: readonly Dated[]): string[] {
  const states = new Map<number, State>()
  const serving = new Map<string, State>()
  /** what each service has ever handed over: what a way back may restore */
  const copies = new Map<string, Set<string>>()
  const wrong: string[] = []
  for (const entry of entries) {
    if (entry.kind === 'born') {
      const none = {
        n: 0,
        steps: 0,
        gave: undefined,
        movedSince: false,
        took: undefined,
        mode: undefined,
        failedAt: undefined,
      }
      states.set(entry.instance, { born: entry, ...none })
    } else if (entry.kind === 'life') live(entry, states, copies, wrong)
    else if (entry.kind === 'machine' && entry.type === 'service.live') switched(entry, states, serving, wrong)
    else if (entry.kind === 'answered' && entry.answer !== undefined) acknowledged(entry, states, wrong)
  }
  return wrong
}

const named = ({ born }: State): string => `${born.api} g${born.generation} #${born.instance}`
const same = (a: { n: number; steps: number } | undefined, b: { n: number; steps: number } | undefined): boolean =>
  a !== undefined && b !== undefined && a.n === b.n && a.steps === b.steps

function live(entry: Of<'life'>, states: Map<number, State>, copies: Map<string, Set<string>>, wrong: string[]): void {
  const state = states.get(entry.instance)
  if (state === undefined) return
  const { n = state.n, steps = state.steps } = entry
  const known = copies.get(state.born.api) ?? new Set()
  switch (entry.phase) {
    case 'added':
      if (n !== state.n + 1) wrong.push(`${named(state)} counted ${n} after ${state.n}`)
      Object.assign(state, { n, movedSince: true })
      break
    case 'step':
      if (steps !== state.steps + 1) wrong.push(`${named(state)} did step ${steps} after ${state.steps}`)
      Object.assign(state, { steps, movedSince: true })
      break
    case 'gave':
      if (n !== state.n || steps !== state.steps) wrong.push(`${named(state)} handed over ${n}, and had ${state.n}`)
      Object.assign(state, { gave: { n, steps }, movedSince: false })
      copies.set(state.born.api, known.add(`${n} ${steps}`))
      break
    case 'took':
      if (!known.has(`${n} ${steps}`)) wrong.push(`${named(state)} took over ${n}, which nobody handed over`)
      Object.assign(state, { took: { n, steps }, n, steps })
      break
    case 'failed':
      state.failedAt = entry.why
      break
    default:
  }
}

function switched(
  entry: Of<'machine'>,
  states: Map<number, State>,
  serving: Map<string, State>,
  wrong: string[],
): void {
  const { api, generation, state: became, rolledBack, mode } = entry
  const next = [...states.values()].findLast(({ born }) => born.api === api && born.generation === generation)
  const before = serving.get(api)
  if (next === undefined) return
  next.mode = mode
  serving.set(api, next)
  if (became === 'none' || before === undefined) return
  // A version that could share nothing is made again when its successor fails: with what it had handed over.
  if (became === 'carried' || (became === 'restored' && !rolledBack)) {
    if (!same(before.gave, next.took)) {
      wrong.push(`${named(before)} handed over ${before.gave?.n}, ${named(next)} took over ${next.took?.n}`)
    }
    if (before.movedSince) wrong.push(`${named(before)} went on counting after it had handed over`)
    return
  }
  const isQuiet = [before.mode, next.mode].some((one) => one === 'quiesce' || one === 'exclusive')
  if (next.failedAt === 'take_over' || before.failedAt === 'hand_over') return
  if (isQuiet && before.born.state && next.born.state && !rolledBack) {
    wrong.push(`the state of ${named(before)} is ${became} in ${named(next)}`)
  }
}

function acknowledged({ call, answer }: Of<'answered'>, states: Map<number, State>, wrong: string[]): void {
  const state = states.get(answer?.instance ?? -1)
  if (answer === undefined || state === undefined || answer.n <= state.n) return
  if (answer.n > 20 || answer.n > state.n + 6)
    wrong.push(`call ${call} was told ${answer.n}; ${named(state)} has ${state.n}`)
}
