/** The commands about services: how the whole stands, one of them, its methods and tools. Each is one request. */
import type { Command } from 'commander'
import type { SandboxReport } from '../modules/contracts/sandbox.ts'
import { coded, describeError, fromErrorData } from '../modules/lib/errors.ts'
import { Client } from './client.ts'
import { prints, type Cli, type Common } from './common.ts'
import { allServices } from './lists.ts'
import { metaStatus } from './meta.ts'
import { dim, fields, MOVED, print, printJson, reloadLine, table } from './output.ts'
import { showProposal } from './proposals.ts'

async function status({ root, json }: Common): Promise<void> {
  const client = new Client(root)
  const kernel = await client.ask('GET /api/kernel')
  if (json) {
    printJson({ url: client.address.url, ...kernel })
    return
  }
  const services = Object.entries(kernel.services)
  const live = services.filter(([, one]) => one.state === 'live').length
  print(
    table([
      ['status', kernel.status],
      ['url', client.address.url],
      ['kernel', `${kernel.version} (${kernel.meta_file})`],
      ['services', `${live} of ${services.length} live`],
      ['frozen', kernel.frozen],
      ['uptime', `${kernel.uptime_s} s`],
    ]),
  )
  for (const error of kernel.config_errors) print(describeError(error))
}

async function list({ root, json }: Common, { names }: { names: boolean }): Promise<void> {
  const services = await allServices(new Client(root))
  if (names) {
    const found = services.map((one) => one.api)
    if (json) printJson(found)
    else for (const name of found) print(name)
    return
  }
  if (json) {
    printJson(services)
    return
  }
  const rows = services.map((one) => [
    one.api,
    `${one.state}${one.last_good !== null ? ' (last good)' : one.stale ? ' (stale)' : ''}`,
    one.generation === null ? '-' : `g${one.generation}`,
    String(one.calls),
    String(one.errors),
    String(one.in_flight),
    one.waiting_for.length > 0
      ? `waits for ${one.waiting_for.join(', ')}`
      : one.last_error === null
        ? ''
        : describeError(one.last_error),
  ])
  print(table([['SERVICE', 'STATE', 'GEN', 'CALLS', 'ERRORS', 'OPEN', ''], ...rows]))
}

async function show({ root, json }: Common, api: string): Promise<void> {
  const detail = await new Client(root).ask('GET /api/services/{api}', { params: { api } })
  if (json) {
    printJson(detail)
    return
  }
  const { methods, tools: offered, owned, last_error, draining, sandbox, ...rest } = detail
  print(
    fields({
      ...rest,
      ...(last_error === null ? {} : { last_error: describeError(last_error), hint: last_error.hint }),
    }),
  )
  if (sandbox !== null) printSandbox(sandbox)
  if (methods.length > 0) print(`methods  ${methods.map((one) => one.name).join(', ')}`)
  for (const tool of offered) print(`tool     ${tool.name}: ${tool.description}`)
  for (const one of owned) print(dim(`${one.kind.padEnd(7)}  ${one.label}`))
  for (const one of draining) print(dim(`drains   g${one.generation}, ${one.in_flight} in flight`))
}

function printSandbox({ isolation, group, pid, granted, used, refused, kills }: SandboxReport): void {
  const counted = (powers: SandboxReport['used']): string =>
    powers.map(({ power, count }) => `${power} (${count})`).join(', ')
  const place = isolation === 'group' ? `group ${group}` : isolation
  print(`sandbox  ${place}${pid === null ? '' : `, process ${pid}`}`)
  print(`granted  ${granted.length === 0 ? 'nothing' : granted.join(', ')}`)
  if (used.length > 0) print(`used     ${counted(used)}`)
  if (refused.length > 0) print(`refused  ${counted(refused)}`)
  const broken = Object.entries(kills).map(([code, count]) => `${code} (${count})`)
  if (broken.length > 0) print(`broke    ${broken.join(', ')}`)
}

/** `service.method` with JSON or plain values; `key=value` pairs become one object. */
async function call(
  { root, json }: Common,
  target: string,
  values: string[],
  options: { aspect?: string; deadline?: string },
): Promise<void> {
  const at = target.lastIndexOf('.')
  if (at <= 0) throw coded('usage', { reason: 'Write the method as service.method, for example database.query' })
  const deadline = options.deadline === undefined ? undefined : Number(options.deadline)
  if (deadline !== undefined && !(deadline > 0)) throw coded('usage', { reason: '--deadline takes milliseconds' })
  const answer = await new Client(root).post<{ result: unknown; generation: number; trace_id: string }>(
    `/api/services/${encodeURIComponent(target.slice(0, at))}/call`,
    {
      method: target.slice(at + 1),
      args: readArguments(values),
      ...(options.aspect === undefined ? {} : { aspect: options.aspect }),
      ...(deadline === undefined ? {} : { deadline_ms: deadline }),
    },
  )
  if (json) printJson(answer)
  else print(typeof answer.result === 'string' ? answer.result : JSON.stringify(answer.result, null, 2))
}

function readArguments(values: readonly string[]): unknown[] {
  const args: unknown[] = []
  const named: Record<string, unknown> = {}
  for (const value of values) {
    const pair = /^([A-Za-z_]\w*)=(.*)$/s.exec(value)
    if (pair === null) args.push(readValue(value))
    else named[pair[1] ?? ''] = readValue(pair[2] ?? '')
  }
  return Object.keys(named).length === 0 ? args : [...args, named]
}

function readValue(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}

async function reload({ root, json }: Common, api: string): Promise<void> {
  const result = await new Client(root).ask('POST /api/services/{api}/reload', { params: { api } })
  if (json) printJson(result)
  else if (result.ok) print(reloadLine({ api, ...result }))
  if (!result.ok && result.error !== null) throw fromErrorData(result.error)
}

async function tools({ root, json }: Common): Promise<void> {
  const found = await new Client(root).ask('GET /api/tools')
  if (json) {
    printJson(found)
    return
  }
  for (const tool of found.tools) print(`${tool.signature}\n  ${dim(tool.description)}`)
  for (const conflict of found.conflicts) print(conflict)
}

export function addServices(program: Command, { common }: Cli): void {
  prints(
    program
      .command('status')
      .description('one look at the whole')
      .option('--meta', 'at the goals of the meta-loop, as bars', false)
      .action(({ meta }: { meta: boolean }) => (meta ? metaStatus(common()) : status(common()))),
    '{url, version, prog, meta_file, status, frozen, uptime_s, services, config_errors, config_hash, source_key, on_probation, versions, fallbacks, history}; with `--meta` {running, cadence_mode, last_cycle, pending_approvals, scores, scores_error, gaps, domains, line, bars}',
  )
  prints(
    program
      .command('ls')
      .description('list the services')
      .option('--names', 'only their names, one a line', false)
      .action((options: { names: boolean }) => list(common(), options)),
    'a list of what `mm show` prints, without methods, tools and what is owned; with `--names` a list of names',
  )
  prints(
    program
      .command('show <service> [id]')
      .description('one service in detail; `show change c12` a proposed change')
      .action((api: string, id?: string) => {
        if (id === undefined) return show(common(), api)
        if (api !== 'change') throw coded('usage', { reason: 'mm show SERVICE, or mm show change c12' })
        return showProposal(common(), id)
      }),
    '{api, prog, state, generation, config_file, source_file, source_hash, config_hash, disk_hash, disk_config_hash, stale, last_good, sandboxed, sandbox, calls, errors, in_flight, queued, generations, reloads, restarts, tasks, uptime_s, last_error, last_error_at, waiting_for, needs, description, domain, methods, aspects, tools, latency_ms, draining, owned}',
  )
  prints(
    program
      .command('call <service.method> [values...]')
      .description('call a method; values are JSON or text, key=value pairs become one object')
      .option('--aspect <name>', 'another interface of the service')
      .option('--deadline <ms>', 'how long to wait')
      .action((target: string, values: string[], options: { aspect?: string; deadline?: string }) =>
        call(common(), target, values, options),
      ),
    '{result, generation, source_hash, config_hash, trace_id}',
  )
  prints(
    program
      .command('tools')
      .description('list the tools')
      .action(() => tools(common())),
    '{tools, conflicts}',
  )
  prints(
    program
      .command('reload <service>')
      .description('build a new version and switch to it')
      .action((api: string) => reload(common(), api)),
    MOVED,
  )
}
