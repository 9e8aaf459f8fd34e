/** A question to the policy as the form holds it, the change it stands for, and the command that asks the same. Pure. */
import type { ApiAnswer } from '../../api/client.ts'
import { commandOf, type Command } from '../../commands.ts'

export const KINDS = {
  value: 'A value of a config',
  file: 'A file',
  tool: 'A call of a tool',
  grant: 'A grant',
} as const
export type Kind = keyof typeof KINDS

/** All fields of the form; which of them count depends on `kind`. */
export interface Asked {
  kind: Kind
  actor: string
  /** of a value, or a file */
  path: string
  key: string
  value: string
  operation: 'create' | 'modify' | 'delete'
  tool: string
  params: string
  service: string
  grant: string
}

export const NOTHING: Asked = {
  kind: 'value',
  actor: '',
  path: '',
  key: '',
  value: '',
  operation: 'modify',
  tool: '',
  params: '{}',
  service: '',
  grant: '',
}

/** Questions people ask first. */
export const PRESETS: readonly { title: string; asked: Partial<Asked> }[] = [
  {
    title: 'Tune a value',
    asked: { kind: 'value', path: 'configs/control/meta-loop.yml', key: 'cadence.max_cycles_per_hour', value: '3' },
  },
  { title: 'Edit a module', asked: { kind: 'file', path: 'modules/hello.ts', operation: 'modify' } },
  { title: 'Rewrite the policy', asked: { kind: 'file', path: 'configs/control/policy.yml', operation: 'modify' } },
  { title: 'Read a file', asked: { kind: 'tool', tool: 'filesystem_read_file', params: '{"path": "notes.txt"}' } },
  { title: 'Give a power', asked: { kind: 'grant', service: 'hello', grant: 'database.query' } },
]

type Values = ApiAnswer<'GET /api/configs'>['configs'][number]['values']
export type Json = Values[number]['value']
type Change =
  | { kind: 'value'; file: string; key: string; new: Json; old?: Json }
  | { kind: 'file'; path: string; operation: Asked['operation'] }
  | { kind: 'tool'; tool: string; params: Record<string, unknown> }
  | { kind: 'grant'; service: string; grant: string }

/** What is missing or wrong; undefined: it can be asked. */
export function faultOf({ kind, path, key, tool, params, service, grant }: Asked): string | undefined {
  switch (kind) {
    case 'value':
      return path === '' || key === '' ? 'Name the config and the key.' : undefined
    case 'file':
      return path === '' ? 'Name the file, from the root.' : undefined
    case 'tool':
      if (tool === '') return 'Name the tool.'
      return isMap(parsed(params)) ? undefined : 'Parameters are a JSON object.'
    case 'grant':
      return service === '' || grant === '' ? 'Name the service and the grant.' : undefined
    default:
      return kind satisfies never
  }
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

/** What is no JSON is a text, as on the command line. */
const valueOfText = (text: string): Json => {
  const value = parsed(text)
  return (value === undefined ? text : value) as Json
}

/** `old`: what stands there now, of a value. */
export function changeOf(asked: Asked, old?: Json): Change {
  const { kind, path, key, value, operation, tool, params, service, grant } = asked
  switch (kind) {
    case 'value':
      return { kind, file: path, key, new: valueOfText(value), ...(old === undefined ? {} : { old }) }
    case 'file':
      return { kind, path, operation }
    case 'tool':
      return { kind, tool, params: parsed(params) as Record<string, unknown> }
    case 'grant':
      return { kind, service, grant }
    default:
      return kind satisfies never
  }
}

/** `harness.retry_limit` stands in the map `harness`. */
export function valueAt(values: Values, key: string): Json | undefined {
  for (const { key: top, value } of values) {
    if (top === key) return value
    if (!key.startsWith(`${top}.`)) continue
    const steps = key.slice(top.length + 1).split('.')
    return steps.reduce<unknown>((at, step) => (isMap(at) ? at[step] : undefined), value) as Json | undefined
  }
  return undefined
}

/** A text that could be read as JSON is written as JSON: the command line reads it so. */
const pairOf = ([name, value]: [string, unknown]): string =>
  `${name}=${typeof value === 'string' && parsed(value) === undefined ? value : JSON.stringify(value)}`

/** Undefined: the command line asks about files, values and tools only. */
export function questionCommand(asked: Asked): Command | undefined {
  const { kind, path, key, value, operation, tool, params } = asked
  const actor = asked.actor.trim()
  switch (kind) {
    case 'value':
      return commandOf('check_value', { path, pair: `${key}=${value}`, actor })
    case 'file':
      return commandOf(operation === 'delete' ? 'check_deletion' : 'check_file', { path, actor })
    case 'tool': {
      const given = Object.entries(isMap(parsed(params)) ? (parsed(params) as object) : {})
      return commandOf('check_call', { tool, params: given.map(pairOf), actor })
    }
    case 'grant':
      return undefined
    default:
      return kind satisfies never
  }
}
