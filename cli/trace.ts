/** `mm trace`: the requests that are kept, and one of them as a tree of who called whom, with times and what failed. */
import type { Command } from 'commander'
import { coded } from '../modules/lib/errors.ts'
import type { ApiAnswer } from './api.ts'
import { Client } from './client.ts'
import { prints, type Cli, type Common } from './common.ts'
import { clockOf, dim, print, printJson, red, table } from './output.ts'

interface TraceOptions {
  service?: string
  errors: boolean
  lines: string
}

const LINES_MAX = 1_000
const ID_SHOWN = 12

async function list({ root, json }: Common, { service, errors, lines }: TraceOptions): Promise<void> {
  const limit = Number(lines)
  if (!(Number.isInteger(limit) && limit > 0 && limit <= LINES_MAX))
    throw coded('usage', { reason: `--lines is a number up to ${LINES_MAX}` })
  const query = {
    limit: lines,
    ...(service === undefined ? {} : { service }),
    ...(errors ? { errors: 'true' as const } : {}),
  }
  const found = await new Client(root).ask('GET /api/traces', { query })
  if (json) printJson(found)
  else if (found.traces.length === 0) print('no trace is kept that fits')
  else {
    const rows = found.traces.map((one) => [
      one.trace.slice(0, ID_SHOWN),
      clockOf(one.at),
      `${rounded(one.ms)} ms`,
      one.errors === 0 ? 'ok' : red(`${one.errors} failed`),
      `${one.entry}${one.spans > 1 ? dim(`  and ${one.spans - 1} more calls`) : ''}`,
    ])
    print(table([['TRACE', 'BEGAN', 'TOOK', '', 'FIRST CALL'], ...rows]))
    print(dim('mm trace <trace> shows one; the beginning of its id is enough'))
  }
}

const rounded = (ms: number): string => ms.toFixed(ms < 10 ? 1 : 0)

async function show({ root, json }: Common, id: string): Promise<void> {
  const trace = await new Client(root).ask('GET /api/traces/{id}', { params: { id } })
  if (json) {
    printJson(trace)
    return
  }
  const more = trace.dropped === 0 ? '' : `, ${trace.dropped} more were not kept`
  print(
    dim(
      `trace ${trace.trace} of ${clockOf(trace.at)}: ${rounded(trace.ms)} ms, ${trace.spans} calls, ${trace.errors} failed${more}`,
    ),
  )
  print(table(trace.tree.map((one) => rowOf(one, trace.at))))
}

type Shown = ApiAnswer<'GET /api/traces/{id}'>['tree'][number]

function rowOf(span: Shown, began: number): string[] {
  const { depth, at, ms, caller, callee, aspect, method, generation, error, model } = span
  const target = aspect === 'default' ? callee : `${callee}/${aspect}`
  const cost =
    model === null ? '' : dim(`  ${model.name}, ${model.input_tokens ?? '?'} → ${model.output_tokens ?? '?'} tokens`)
  const failed = error === null ? '' : red(`  ${error.code}: ${error.message}`)
  return [
    dim(`+${rounded(at - began)} ms`),
    `${rounded(ms)} ms`,
    `${'  '.repeat(depth)}${caller} → ${target}.${method}${generation === null ? '' : ` g${generation}`}${cost}${failed}`,
  ]
}

export function addTrace(program: Command, { common }: Cli): void {
  prints(
    program
      .command('trace [id]')
      .description('one request as a tree of who called whom; without an id, the last ones')
      .option('--service <service>', 'only those in which it calls or is called')
      .option('--errors', 'only those in which something failed', false)
      .option('-n, --lines <number>', 'how many', '20')
      .action((id: string | undefined, options: TraceOptions) =>
        id === undefined ? list(common(), options) : show(common(), id),
      ),
    'with an id {trace, at, ms, spans, dropped, errors, entry, tree}; without one {traces, total}',
  )
}
