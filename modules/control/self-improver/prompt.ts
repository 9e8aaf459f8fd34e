/**
 * What a model is told: the template of `prompts/`, filled with the goal, the sources, what others may call, and calls as
 * they were made; and after a refusal, why. What stands in sources and calls is material, and the template says so. Pure.
 */
import type { ServiceDetail } from '../../contracts/kernel.ts'
import type { Evidence } from '../../contracts/proposals.ts'
import type { RecordedCall } from '../../contracts/recordings.ts'
import { argsText } from './outcome.ts'

const CALLS_SHOWN = 12
const RESULT_CHARS = 400

export interface Told {
  template: string
  goal: string
  detail: ServiceDetail
  files: Readonly<Record<string, string>>
  calls: readonly RecordedCall[]
  latency: ServiceDetail['latency_ms']
  /** its test files */
  tests: readonly string[]
}

export function promptFor({ template, goal, detail, files, calls, latency, tests }: Told): string {
  const parts: Record<string, string> = {
    goal,
    service: detail.api,
    entry: detail.source_file ?? '',
    contract: contractText(detail),
    latency: latency === null ? 'not measured yet' : `p50 ${latency.p50} ms, p99 ${latency.p99} ms`,
    calls: callsText(calls),
    tests: tests.length === 0 ? 'it has none, so add some' : tests.join(', '),
    files: Object.entries(files)
      .map(([path, text]) => fenced(`file ${path}`, text))
      .join('\n\n'),
  }
  // A text that holds `{{files}}` itself is not filled in.
  return template.replace(/\{\{(\w+)\}\}/g, (whole, key: string) => parts[key] ?? whole)
}

export function fenced(label: string, text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`{3,}/g)].map(([ticks]) => ticks.length))
  const ticks = '`'.repeat(longest + 1)
  return `${ticks}${label}\n${text.trimEnd()}\n${ticks}`
}

const contractText = ({ methods, tools }: ServiceDetail): string =>
  [
    ...methods.map(({ name, kind, length }) => `- ${kind} ${name}, ${length} parameters`),
    ...tools.map(({ name, description, schema }) => `- tool ${name}: ${description} ${JSON.stringify(schema)}`),
  ].join('\n')

function callsText(calls: readonly RecordedCall[]): string {
  if (calls.length === 0) return 'none are recorded'
  // The slowest of each method first: they are the ones worth a change.
  const seen = new Map<string, number>()
  const chosen = [...calls]
    .sort((a, b) => b.ms - a.ms)
    .filter(({ method, outcome }) => {
      const key = `${method} ${outcome}`
      seen.set(key, (seen.get(key) ?? 0) + 1)
      return (seen.get(key) ?? 0) <= 3
    })
  return chosen
    .slice(0, CALLS_SHOWN)
    .map(({ aspect, method, args, outcome, result, ms }) => {
      const name = aspect === 'default' ? method : `${aspect}:${method}`
      const came = (JSON.stringify(result) ?? 'undefined').slice(0, RESULT_CHARS)
      return `- ${name}${argsText(args)} → ${outcome === 'ok' ? came : `${outcome}: ${came}`} (${Math.round(ms * 100) / 100} ms)`
    })
    .join('\n')
}

/** A refusal as the next message: what failed, and what passed, so that it is kept. */
export function refusalText(evidence: readonly Evidence[], tried: number, tries: number): string {
  const failed = evidence.filter(({ outcome }) => outcome === 'failed')
  const passed = evidence.filter(({ outcome }) => outcome === 'passed').map(({ check }) => check)
  return [
    'Your change was refused:',
    ...failed.map(({ check, message }) => `- ${check}: ${message}`),
    passed.length === 0 ? '' : `These checks passed: ${passed.join(', ')}.`,
    `Answer with another change, in the same form, whole files again. Try ${tried + 1} of ${tries}.`,
  ]
    .filter((line) => line !== '')
    .join('\n')
}
