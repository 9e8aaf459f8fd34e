/** `mm trace` and `mm replay`: what became of a request, and what another version makes of those that were recorded. */
import type { Command } from 'commander'
import type { Replay } from '../modules/contracts/recordings.ts'
import type { ModelUse, Trace } from '../modules/contracts/traces.ts'
import { coded } from '../modules/lib/errors.ts'
import { Client } from './client.ts'
import { prints, type Cli, type Common } from './common.ts'
import { dim, print, printJson, table } from './output.ts'

interface Listing {
  errors?: boolean
  service?: string
  limit?: string
}

const time = (ms: number): string => new Date(ms).toISOString().replace('T', ' ').slice(0, 23)
const took = (ms: number): string => `${ms < 10 ? ms.toFixed(2) : Math.round(ms)} ms`

async function listTraces({ root, json }: Common, { errors, service, limit = '20' }: Listing): Promise<void> {
  const query = {
    limit,
    ...(service === undefined ? {} : { service }),
    ...(errors === true ? { errors: 'true' as const } : {}),
  }
  const found = await new Client(root).ask('GET /api/traces', { query })
  if (json) {
    printJson(found)
    return
  }
  const rows = found.traces.map((one) => [
    one.trace.slice(0, 12),
    time(one.at),
    took(one.ms),
    String(one.spans),
    one.errors === 0 ? '' : `${one.errors} failed`,
    one.entry,
  ])
  print(table([['TRACE', 'BEGAN', 'TOOK', 'CALLS', '', 'ENTRY'], ...rows]))
}

async function showTrace({ root, json }: Common, id: string): Promise<void> {
  const trace = await new Client(root).ask('GET /api/traces/{id}', { params: { id } })
  if (json) {
    printJson(trace)
    return
  }
  print(`${trace.trace}  ${time(trace.at)}  ${took(trace.ms)}`)
  print(table(trace.tree.map(spanRow)))
  if (trace.dropped > 0) print(dim(`${trace.dropped} calls were left out: the trace grew too large`))
}

const tokensOf = ({ name, input_tokens, output_tokens }: ModelUse): string =>
  input_tokens === null ? name : `${name}, ${input_tokens} + ${output_tokens ?? 0} tokens`

function spanRow({ depth, caller, callee, method, generation, ms, error, model }: Trace['tree'][number]): string[] {
  const tokens = model === null ? '' : tokensOf(model)
  return [
    `${'  '.repeat(depth)}${caller} → ${callee}.${method}`,
    generation === null ? '-' : `g${generation}`,
    took(ms),
    error === null ? tokens : `${error.code}: ${error.message}`,
  ]
}

async function replay(
  { root, json }: Common,
  api: string,
  options: { against?: string; limit?: string },
): Promise<boolean> {
  const { against, limit } = options
  if (limit !== undefined && !/^[1-9]\d*$/.test(limit))
    throw coded('usage', { reason: '--limit takes a number of calls' })
  const report = await new Client(root).ask('POST /api/services/{api}/replay', {
    params: { api },
    body: { ...(against === undefined ? {} : { against }), ...(limit === undefined ? {} : { limit: Number(limit) }) },
  })
  if (json) printJson(report)
  else printReplay(report)
  return report.verdict !== 'different'
}

function printReplay({ verdict, calls, equal, live, candidate, differences, skipped, ms }: Replay): void {
  if (verdict === 'nothing_recorded') {
    print('nothing is recorded that could be replayed: see `record:` in docs/recordings.md')
    return
  }
  print(`${verdict}: ${equal} of ${calls} calls answered as recorded`)
  print(`live ${live.source_hash}  candidate ${candidate.source_hash}`)
  for (const { kind, aspect, method, count, example } of differences) {
    print(`${kind}  ${aspect === 'default' ? '' : `${aspect} `}${method}  ${count} calls`)
    print(dim(`  args      ${example.args}`))
    print(dim(`  recorded  ${example.recorded}`))
    print(dim(`  live      ${example.live}`))
    print(dim(`  candidate ${example.candidate}`))
  }
  if (ms.live !== null && ms.candidate !== null)
    print(`p50 ${ms.live.p50} → ${ms.candidate.p50} ms, p99 ${ms.live.p99} → ${ms.candidate.p99} ms`)
  if (skipped.redacted > 0) print(dim(`${skipped.redacted} calls hold secrets that were taken out: not made`))
  if (skipped.over_time > 0) print(dim(`${skipped.over_time} calls were not made: the time was over`))
}

export function addTraces(program: Command, { common, setExitCode }: Cli): void {
  prints(
    program
      .command('trace [id]')
      .description('what a request led to; without an id, the latest ones')
      .option('--errors', 'only those in which something failed', false)
      .option('--service <service>', 'only those in which this service calls or is called')
      .option('--limit <n>', 'how many')
      .action((id: string | undefined, options: Listing) =>
        id === undefined ? listTraces(common(), options) : showTrace(common(), id),
      ),
    '{trace, at, ms, spans, dropped, errors, entry, tree}; without an id {traces, total}',
  )
  prints(
    program
      .command('replay <service>')
      .description(
        'make its recorded calls on another version, beside the one that serves; 1 when it answers otherwise',
      )
      .option(
        '--against <version>',
        'a hash of a version that is kept, or the path of another source; default: the disk',
      )
      .option('--limit <n>', 'calls at most')
      .action(async (api: string, options: { against?: string; limit?: string }) => {
        if (!(await replay(common(), api, options))) setExitCode(1)
      }),
    '{service, live, candidate, verdict, calls, equal, differences, skipped, ms}',
  )
}
