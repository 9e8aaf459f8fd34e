/**
 * What a linter finds in it and not in what serves: code that does nothing, conditions that always hold, what is surely a
 * mistake. By the oxlint of the root or of a checkout, with the root's own rules where it has some. Without one nothing is said.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { reasonOf } from '../../../lib/errors.ts'
import type { Complaint } from '../tool-run.ts'
import { toolCheck } from './tool-check.ts'

const OWN_RULES = '.oxlintrc.json'

interface Diagnostic {
  message: string
  code?: string
  severity: string
  filename: string
  help?: string
  labels?: { span?: { line?: number } }[]
}

export const lintCheck = toolCheck({
  name: 'lint',
  package: 'oxlint',
  kind: 'linter',
  fine: 'nothing new',
  wrong: 'a linter finds what was not there',
  argsFor: (_copy, _tool, root) => {
    const own = join(root, OWN_RULES)
    const rules = existsSync(own) ? ['-c', own] : ['-D', 'correctness', '-A', 'no-unused-vars']
    return [...rules, '--format', 'json', '--disable-nested-config', '--no-ignore', 'before', 'after']
  },
  complaintsOf: (said) => {
    const all = diagnosticsIn(said)
    return (side) => complaintsOf(all, side)
  },
})

function diagnosticsIn(said: string): Diagnostic[] {
  try {
    return (JSON.parse(said) as { diagnostics: Diagnostic[] }).diagnostics
  } catch (thrown) {
    throw new Error(`oxlint cannot be understood (${reasonOf(thrown)}): ${said.slice(0, 300)}`, { cause: thrown })
  }
}

const complaintsOf = (all: readonly Diagnostic[], side: string): Complaint[] =>
  all.flatMap(({ message, code = '', severity, filename, labels = [] }) => {
    const path = filename.replaceAll('\\', '/')
    if (severity !== 'error' || !path.startsWith(`${side}/`)) return []
    return [{ path: path.slice(side.length + 1), line: labels[0]?.span?.line ?? 1, text: `${message} (${code})` }]
  })
