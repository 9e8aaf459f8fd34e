/** The commands that ask a running system: each one request, printed for people or, with `--json`, as it came. */
import { rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { KernelStatus, ReloadResult, ServiceDetail, ServiceStatus } from '../modules/contracts/kernel.ts'
import type { ToolInfo } from '../modules/contracts/tool.ts'
import { coded, describeError, fromErrorData } from '../modules/lib/errors.ts'
import { realFileSystem } from '../modules/lib/file-system.ts'
import { Client } from './client.ts'
import { dim, fields, print, printJson, reloadLine, table } from './output.ts'
import { ask, createScreen, type ChatChoice } from './prompt.ts'

export interface Common {
  root: string
  json: boolean
}

export async function status({ root, json }: Common): Promise<void> {
  const client = new Client(root)
  const kernel = await client.get<KernelStatus>('/api/kernel')
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

export async function list({ root, json }: Common): Promise<void> {
  const { services } = await new Client(root).get<{ services: ServiceStatus[] }>('/api/services')
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

export async function show({ root, json }: Common, api: string): Promise<void> {
  const detail = await new Client(root).get<ServiceDetail>(`/api/services/${encodeURIComponent(api)}`)
  if (json) {
    printJson(detail)
    return
  }
  const { methods, tools: offered, owned, last_error, draining, ...rest } = detail
  print(
    fields({
      ...rest,
      ...(last_error === null ? {} : { last_error: describeError(last_error), hint: last_error.hint }),
    }),
  )
  if (methods.length > 0) print(`methods  ${methods.map((one) => one.name).join(', ')}`)
  for (const tool of offered) print(`tool     ${tool.name}: ${tool.description}`)
  for (const one of owned) print(dim(`${one.kind.padEnd(7)}  ${one.label}`))
  for (const one of draining) print(dim(`drains   g${one.generation}, ${one.in_flight} in flight`))
}

/** `service.method` with JSON or plain values; `key=value` pairs become one object. */
export async function call(
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

export function readArguments(values: readonly string[]): unknown[] {
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

export async function reload({ root, json }: Common, api: string): Promise<void> {
  const result = await new Client(root).post<ReloadResult>(`/api/services/${encodeURIComponent(api)}/reload`)
  if (json) printJson(result)
  else if (result.ok) print(reloadLine({ api, ...result }))
  if (!result.ok && result.error !== null) throw fromErrorData(result.error)
}

export async function tools({ root, json }: Common): Promise<void> {
  const found = await new Client(root).get<{ tools: ToolInfo[]; conflicts: string[] }>('/api/tools')
  if (json) {
    printJson(found)
    return
  }
  for (const tool of found.tools) print(`${tool.signature}\n  ${dim(tool.description)}`)
  for (const conflict of found.conflicts) print(conflict)
}

export async function chat({ root, json }: Common, message: string, choice: ChatChoice): Promise<void> {
  const client = new Client(root)
  if (json) {
    const { conversation: conversation_id, provider } = choice
    printJson(await client.post('/api/chat', { message, conversation_id, provider }))
    return
  }
  const screen = createScreen((text) => process.stdout.write(text))
  await ask(client, message, { ...choice, screen }).finally(() => screen.endLine())
}

const freezeFile = (root: string): string => join(root, 'runtime', 'FREEZE')

/** Works on the file, so that it works when the system is sick or down. */
export function freeze({ root, json }: Common, options: { all?: boolean; reason?: string }): void {
  if (statSync(join(root, 'configs'), { throwIfNoEntry: false }) === undefined)
    throw coded('root_missing', { root, part: 'configs/' })
  const scope = options.all === true ? 'all' : 'self'
  realFileSystem.write(
    freezeFile(root),
    `${scope}${options.reason === undefined ? '' : `\n${options.reason.replaceAll(/\ball\b/g, 'every')}`}\n`,
  )
  if (json) printJson({ frozen: scope })
  else
    print(
      scope === 'all'
        ? 'frozen: nothing changes, file edits included'
        : 'frozen: the system may not change itself; your edits still apply',
    )
}

export function thaw({ root, json }: Common): void {
  rmSync(freezeFile(root), { force: true })
  if (json) printJson({ frozen: 'none' })
  else print('thawed')
}
