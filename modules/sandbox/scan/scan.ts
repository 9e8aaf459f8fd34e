/**
 * The static scan: what the files of one local graph ask for, and what in them breaks a rule. Pure: texts in, a report
 * out. It is a lint before the boundary and a gate for code that will run without one: it says early, with the line,
 * what to use instead. It fails closed: what cannot be read, or what hides its names, is refused.
 */
import type { Power, ScanFinding, ScanReport, ScanSource } from '../../contracts/sandbox.ts'
import { reasonOf } from '../../lib/errors.ts'
import { isForbidden } from './forbidden.ts'
import { Judge, type Found } from './judge.ts'
import { powersAt } from './powers.ts'
import { RULES, type RuleName } from './rules.ts'
import { Names, type Origin } from './scopes.ts'
import { parse, type Node } from './tree.ts'
import { Values } from './values.ts'

/** Further ones say nothing new. */
const FINDINGS_MAX = 200
const POWERS_MAX = 500

export const scanSource: ScanSource = (texts, { packages, forbidden }) => {
  const report: ScanReport = { powers: [], findings: [] }
  const powers = new Map<string, Power>()
  const fields = new Map<string, Origin[]>()
  const files = Object.entries(texts)
    .filter(([file]) => !file.endsWith('.json'))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([file, text]) => {
      const found = foundIn(file, text, packages, forbidden, report)
      const names = readNames(file, text, found, fields)
      return names === undefined ? [] : [{ ...names, found }]
    })
  // Fields are known over all files only when all have been read.
  for (const { program, names, found } of files) {
    const values = new Values(names)
    const judge = new Judge(names, values, found)
    try {
      judge.walk(program, (node, scope, parents) => {
        judge.look(node, scope, parents)
        for (const power of powersAt(node, scope, parents, values)) powers.set(JSON.stringify(power), power)
      })
    } catch (thrown) {
      found.refuse(reasonOf(thrown), 0)
    }
  }
  report.powers = [...powers.values()].slice(0, POWERS_MAX)
  return report
}

function readNames(
  file: string,
  text: string,
  found: Found & { refuse(what: string, offset: number): void },
  fields: Map<string, Origin[]>,
): { program: Node; names: Names } | undefined {
  try {
    const parsed = parse(file, text)
    if ('program' in parsed) return { program: parsed.program, names: new Names(parsed.program, fields) }
    found.refuse(parsed.error, parsed.offset)
  } catch (thrown) {
    found.refuse(reasonOf(thrown), 0)
  }
  return undefined
}

function foundIn(
  file: string,
  text: string,
  packages: readonly string[],
  forbidden: readonly string[],
  report: ScanReport,
): Found & { refuse(what: string, offset: number): void } {
  const add = (rule: RuleName, offset: number, words: { what?: string; instead?: string }): void => {
    if (report.findings.length >= FINDINGS_MAX) return
    const { message, instead, severity } = RULES[rule]
    const place = placeOf(text, offset)
    const finding: ScanFinding = {
      rule,
      severity: severity === 'listed' ? listedAs(rule, words.what ?? '', forbidden) : severity,
      message: message.replace('{what}', words.what ?? ''),
      instead: instead.replace('{instead}', words.instead ?? ''),
      file,
      ...place,
    }
    const isKnown = report.findings.some(
      (one) => one.rule === rule && one.file === file && one.line === place.line && one.column === place.column,
    )
    if (!isKnown) report.findings.push(finding)
  }
  return {
    packages,
    forbidden,
    finding: (rule, node, words = {}) => add(rule, node.start, words),
    refuse: (what, offset) => add('parse_error', offset, { what }),
  }
}

/** A text given to a timer is what `eval` is. */
function listedAs(rule: RuleName, what: string, forbidden: readonly string[]): ScanFinding['severity'] {
  return isForbidden(rule === 'string_timer' ? 'eval' : what, forbidden) ? 'refuse' : 'warn'
}

function placeOf(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset)
  const lineStart = before.lastIndexOf('\n') + 1
  return { line: before.split('\n').length, column: offset - lineStart + 1 }
}
