/**
 * Why a call came out as it did, from its trace: where in the tree it failed first, who had called that, which version
 * answered, and whether that one still serves. Pure.
 */
import type { Why } from '../../contracts/history.ts'
import type { ServiceStatus } from '../../contracts/kernel.ts'
import type { Trace } from '../../contracts/traces.ts'

type Span = Trace['tree'][number]

const HASH_SHOWN = 8

export function whyCall(trace: Trace, services: readonly ServiceStatus[]): Why {
  const [entry] = trace.tree
  const failed = trace.tree.filter((one) => one.outcome === 'error')
  // What fails below is passed on above: the deepest of the first branch is where it began.
  const cause = failed.find((one) => !failed.some((other) => other.parent === one.span))
  const line = (time: number | null, text: string): Why['lines'][number] => ({ time, id: null, text })
  const short = trace.trace.slice(0, 12)
  return {
    subject: trace.trace,
    kind: 'call',
    lines: [
      ...(entry === undefined
        ? []
        : [line(entry.at, `${told(entry)}, ${Math.round(trace.ms)} ms, ${trace.spans} calls in all`)]),
      ...(cause === undefined
        ? [line(null, 'nothing in it failed')]
        : [
            line(
              cause.at,
              `failed in ${told(cause)}: ${cause.error?.code ?? 'error'}: ${cause.error?.message ?? 'no reason is known'}`,
            ),
            ...wayOf(trace.tree, cause).map((one) => line(one.at, `which ${one.caller} had asked for by ${told(one)}`)),
            line(null, standing(cause, services)),
          ]),
    ],
    next: [
      { command: `mm trace ${short}`, does: 'shows every call of it' },
      ...(cause === undefined
        ? []
        : [
            { command: `mm why ${cause.callee}`, does: 'says how that service stands' },
            { command: `mm logs --service ${cause.callee}`, does: 'shows what it said' },
          ]),
    ],
  }
}

const told = ({ caller, callee, method, generation }: Span): string =>
  `${caller} → ${callee}.${method}${generation === null ? '' : ` g${generation}`}`

/** The calls above, the nearest first. */
function wayOf(tree: readonly Span[], span: Span): Span[] {
  const way: Span[] = []
  for (let above = parentOf(tree, span); above !== undefined && way.length < tree.length; above = parentOf(tree, above))
    way.push(above)
  return way
}

const parentOf = (tree: readonly Span[], { parent }: Span): Span | undefined =>
  parent === null ? undefined : tree.find((one) => one.span === parent)

function standing({ callee, generation, source_hash }: Span, services: readonly ServiceStatus[]): string {
  const now = services.find((one) => one.api === callee)
  if (now === undefined) return `${callee} is not there any more`
  if (generation === null) return `nobody took the call; ${callee} is ${now.state}`
  const of = source_hash === null ? '' : ` (source ${source_hash.slice(0, HASH_SHOWN)})`
  return now.generation === generation
    ? `g${generation}${of} still serves`
    : `g${generation}${of} answered; now ${now.generation === null ? 'nothing serves' : `g${now.generation} serves`}`
}
