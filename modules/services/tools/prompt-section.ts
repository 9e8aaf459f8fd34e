/**
 * The catalogue as a part of a prompt: one line a tool, grouped by service, in the order of names, so that the bytes
 * are the same while nothing changed and a provider's prompt cache holds. What does not fit is shortened, all alike;
 * only then tools are left out, first from the services that have most, and the text says so. Pure.
 */
import type { ToolInfo } from '../../contracts/tool.ts'
import type { ToolPrompt } from '../../contracts/services.ts'
import { shortHash } from '../../lib/hash.ts'

interface Group {
  readonly api: string
  readonly heading: string
  readonly lines: string[]
  readonly names: string[]
}

/** From the whole to the bare signature. */
const LEVELS = ['whole', 'no parameters', 'sentence', 'words', 'signature'] as const
type Level = (typeof LEVELS)[number]

const WORDS_CHARS = 60
const SHORTENED = '(Descriptions are shortened; tools_find shows them whole.)'
const NAMES_TOLD = 20

export function promptSection(
  tools: readonly ToolInfo[],
  services: ReadonlyMap<string, string>,
  charsMax: number,
  /** the service whose tools show the others: never left out */
  keep: string,
): ToolPrompt {
  for (const level of LEVELS) {
    const text = joined(groupsOf(tools, services, level), level === 'whole' ? [] : [SHORTENED])
    if (text.length <= charsMax) return { text, hash: shortHash(text), dropped: [] }
  }
  return leaveOut(groupsOf(tools, services, 'signature'), charsMax, keep)
}

function groupsOf(tools: readonly ToolInfo[], services: ReadonlyMap<string, string>, level: Level): Group[] {
  const groups = new Map<string, Group>()
  for (const tool of tools) {
    const { api } = tool
    const about = oneLine(services.get(api) ?? '')
    const heading = `### ${api}${about === '' || level === 'signature' ? '' : `: ${about}`}`
    const group = groups.get(api) ?? { api, heading, lines: [], names: [] }
    groups.set(api, group)
    group.lines.push(entryOf(tool, level))
    group.names.push(tool.name)
  }
  return [...groups.values()].sort((a, b) => (a.api < b.api ? -1 : 1))
}

function entryOf({ signature, description, schema }: ToolInfo, level: Level): string {
  const text = oneLine(description)
  switch (level) {
    case 'whole':
      return [`- ${signature}: ${text}`, ...parameterNotes(schema)].join('\n')
    case 'no parameters':
      return `- ${signature}: ${text}`
    case 'sentence':
      return `- ${signature}: ${/^.*?[.!?](?= |$)/.exec(text)?.[0] ?? text}`
    case 'words':
      return `- ${signature}: ${text
        .slice(0, WORDS_CHARS)
        .replace(/[\ud800-\udbff]$/, '')
        .trimEnd()}`
    case 'signature':
      return `- ${signature}`
    default: {
      const never: never = level
      return never
    }
  }
}

function parameterNotes(schema: Record<string, unknown>): string[] {
  return Object.entries((schema['properties'] ?? {}) as Record<string, { description?: unknown }>).flatMap(
    ([name, { description }]) =>
      typeof description === 'string' && description !== '' ? [`  ${name}: ${oneLine(description)}`] : [],
  )
}

/** A description from elsewhere must not look like a line of this text. */
const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim()

const joined = (groups: readonly Group[], notes: readonly string[]): string =>
  [...groups.map(({ heading, lines }) => [heading, ...lines].join('\n')), ...notes].join('\n\n')

function leaveOut(groups: Group[], charsMax: number, keep: string): ToolPrompt {
  const dropped: string[] = []
  for (;;) {
    const shown = groups.filter(({ lines }) => lines.length > 0)
    const text = joined(shown, [SHORTENED, ...(dropped.length === 0 ? [] : [noteOf(dropped)])])
    const from = shown
      .filter(({ api }) => api !== keep)
      .reduce<Group | undefined>((most, one) => (one.lines.length >= (most?.lines.length ?? 1) ? one : most), undefined)
    if (text.length <= charsMax || from === undefined) return { text, hash: shortHash(text), dropped: dropped.sort() }
    // Enough at once to keep this linear in the number of tools.
    const over = text.length - charsMax
    for (let saved = 0, length = from.lines.length; saved < over && from.lines.length > length / 2; ) {
      saved += (from.lines.pop()?.length ?? 0) + 1
      dropped.push(from.names.pop() ?? '')
    }
  }
}

function noteOf(dropped: readonly string[]): string {
  const names = dropped.toSorted().slice(0, NAMES_TOLD).join(', ')
  const others = dropped.length > NAMES_TOLD ? ` and ${dropped.length - NAMES_TOLD} more` : ''
  return `(Not listed for want of space; tools_find shows them: ${names}${others}.)`
}
