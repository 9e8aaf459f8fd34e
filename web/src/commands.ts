/**
 * Every command that the page shows, as data: `{name}` is one argument, `{...names}` several, and what stands in `[]` is
 * left out when nothing is given for it. Nothing else makes a command, so a test can hand each of them to the real `mm`.
 * What is given is quoted for a shell: a command is there to be copied, and may hold what somebody wrote. Pure.
 */

export const COMMANDS = {
  approve: 'mm approve {id} [--reason {reason}] [--scope {scope}] [--for {hours}]',
  away: 'mm meta away on',
  back: 'mm meta away off',
  call: 'mm call {method}',
  call_example: 'mm call example.greet name=Ada',
  chat: 'mm chat [--conversation {id}]',
  check_call: 'mm policy check --tool {tool} {...params} [--actor {actor}]',
  check_deletion: 'mm policy check {path} --delete [--actor {actor}]',
  check_file: 'mm policy check {path} [--actor {actor}]',
  check_value: 'mm policy check {path} {pair} [--actor {actor}]',
  cycle: 'mm meta trigger',
  cycle_at_once: 'mm meta trigger --emergency',
  dashboard: 'mm dashboard',
  deny: 'mm deny {id} --reason {reason}',
  diff: 'mm diff {service} {from} {to}',
  doctor: 'mm doctor',
  evolution: 'mm ledger evolution',
  export: 'mm ledger export',
  forget: 'mm call recordings.forget {service}',
  freeze: 'mm freeze [--reason {reason}]',
  freeze_all: 'mm freeze --all [--reason {reason}]',
  improve: 'mm improve {service} --goal {goal} [--provider {provider}] [--budget {budget}] [--tries {tries}]',
  logs: 'mm logs -f [--level {level}] [--service {service}]',
  policy: 'mm policy show',
  release: 'mm release {service}',
  reload: 'mm reload {service}',
  remove_rule: 'mm meta remove-rule {name}',
  replay: 'mm replay {service} [--against {version}]',
  replay_cycle: 'mm ledger replay {cycle}',
  rollback: 'mm rollback {service}',
  set_rule: 'mm meta set-rule {rule}',
  show: 'mm show {service}',
  signal: 'mm meta signal {source} [{payload}] --priority {priority}',
  swap: 'mm kernel swap',
  thaw: 'mm thaw',
  tour: 'mm demo tour',
  trace: 'mm trace {id}',
  /** a service by its name, or a change by its id */
  undo: 'mm undo {what}',
  verify: 'mm ledger verify',
} as const

export type CommandName = keyof typeof COMMANDS

/** One of them, filled in. */
export interface Command {
  readonly name: CommandName
  /** as it is typed */
  readonly text: string
}

type NamesIn<T extends string> = T extends `${string}{${infer Name}}${infer Rest}` ? Name | NamesIn<Rest> : never
type OptionalIn<T extends string> = T extends `${string}[${infer Part}]${infer Rest}`
  ? NamesIn<Part> | OptionalIn<Rest>
  : never
type Several<Name> = Name extends `...${infer Bare}` ? Bare : never
type Single<Name> = Name extends `...${string}` ? never : Name

type Given<T extends string> = { [K in Exclude<Single<NamesIn<T>>, OptionalIn<T>>]: string } & {
  [K in OptionalIn<T>]?: string | undefined
} & { [K in Several<NamesIn<T>>]: readonly string[] }
type Arguments<T extends string> = Partial<Given<T>> extends Given<T> ? [given?: Given<T>] : [given: Given<T>]

/** `commandOf('undo', {what: 'c12'})`. An empty text for what may be left out leaves it out. */
export function commandOf<K extends CommandName>(name: K, ...[given]: Arguments<(typeof COMMANDS)[K]>): Command {
  return { name, text: filled(COMMANDS[name], given ?? {}) }
}

/** The words of a template, filled in and quoted. */
export function filled(
  template: string,
  given: Readonly<Record<string, string | readonly string[] | undefined>>,
): string {
  const parts = template.match(/\[[^\]]*\]|\S+/g) ?? []
  return parts
    .flatMap((part) => (part.startsWith('[') ? optional(part.slice(1, -1), given) : wordsOf(part, given)))
    .join(' ')
}

type Values = Parameters<typeof filled>[1]

function optional(part: string, given: Values): string[] {
  const names = [...part.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => given[name])
  if (names.some((value) => value === undefined || value === '')) return []
  return part.split(' ').flatMap((word) => wordsOf(word, given))
}

function wordsOf(word: string, given: Values): string[] {
  const [, dots, name] = /^\{(\.\.\.)?(\w+)\}$/.exec(word) ?? []
  if (name === undefined) return [word]
  const value = given[name] ?? ''
  if (typeof value === 'string') return dots === undefined ? [quoted(value)] : []
  return value.map(quoted)
}

/** As one word of a shell, whatever stands in it. */
export const quoted = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
