/** An answer from the results of tools: their own values, in order, cut where it gets long. */
import type { Json, JsonMap } from '../../contracts/seams.ts'
import type { ResultPart } from '../../bracket/types.ts'

const LINES_MAX = 40
const TEXT_MAX = 2_000

export function answerFrom(results: readonly ResultPart[]): string {
  return results.map(({ name, body }) => describe(name, body)).join('\n\n')
}

function describe(name: string, body: JsonMap): string {
  if (body['status'] !== 'success') {
    const error = (body['error'] ?? {}) as JsonMap
    return `${name} failed: ${String(error['message'] ?? 'no reason given')}${error['hint'] === undefined ? '' : `\nHint: ${String(error['hint'])}`}`
  }
  const lines = render(body['data'] ?? null, '')
  const shown = lines.slice(0, LINES_MAX)
  if (lines.length > LINES_MAX) shown.push(`… and ${lines.length - LINES_MAX} lines more`)
  return `${name} says:\n${shown.join('\n')}`
}

const isFlat = (value: Json): boolean => typeof value !== 'object' || value === null

function render(value: Json, indent: string): string[] {
  if (isFlat(value)) return plain(value, indent)
  if (Array.isArray(value)) {
    if (value.length === 0) return [`${indent}(none)`]
    return value.flatMap((one) => (isFlat(one) ? plain(one, `${indent}- `) : [`${indent}- ${inline(one)}`]))
  }
  return Object.entries(value as JsonMap).flatMap(([key, one]) => {
    if (isFlat(one) && !String(one).includes('\n')) return [`${indent}${key}: ${String(one).slice(0, TEXT_MAX)}`]
    return [`${indent}${key}:`, ...render(one, `${indent}  `)]
  })
}

const plain = (value: Json, indent: string): string[] =>
  String(value)
    .slice(0, TEXT_MAX)
    .split('\n')
    .map((line) => indent + line)

function inline(value: Json): string {
  if (isFlat(value)) return String(value).replaceAll('\n', ' ').slice(0, 200)
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`
  return Object.entries(value as JsonMap)
    .map(([key, one]) => `${key} ${inline(one)}`)
    .join(', ')
}
