/**
 * What a linter finds in it and not in what serves: code that does nothing, conditions that always hold, what is surely a
 * mistake. By the oxlint of the root or of a checkout, with the root's own rules where it has some. Without one nothing is said.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { reasonOf } from '../../../lib/errors.ts'
import { failed, passed, skipped, type ChangeCheck } from '../check.ts'
import { complaintText, findTool, freshComplaints, runTool, withCopy, type Complaint } from '../tool-run.ts'

const TOLD_MAX = 8
const OWN_RULES = '.oxlintrc.json'

interface Diagnostic {
  message: string
  code?: string
  severity: string
  filename: string
  help?: string
  labels?: { span?: { line?: number } }[]
}

export const lintCheck: ChangeCheck = {
  name: 'lint',
  of: 'change',
  async run({ kernel, config, candidate }) {
    const { root } = kernel.paths
    const tool = findTool(root, 'oxlint')
    if (tool === undefined) return skipped('there is no linter: `npm install --save-dev oxlint` in the root')
    return withCopy(root, candidate, async (copy) => {
      if (copy.files.length === 0) return skipped('it changes no code')
      const own = join(root, OWN_RULES)
      const rules = existsSync(own) ? ['-c', own] : ['-D', 'correctness', '-A', 'no-unused-vars']
      const args = [...rules, '--format', 'json', '--disable-nested-config', '--no-ignore', 'before', 'after']
      const said = await runTool(tool, args, { folder: copy.folder, ms: config.types_ms, kernel })
      const all = diagnosticsIn(said)
      const [before, after] = ['before', 'after'].map((side) => complaintsOf(all, side))
      const fresh = freshComplaints(before ?? [], after ?? [])
      if (fresh.length === 0) return passed(`nothing new in ${copy.files.length} files (oxlint ${tool.version})`)
      const list = fresh.map(complaintText)
      return failed(`a linter finds what was not there: ${list.slice(0, TOLD_MAX).join('; ')}`, {
        errors: list.slice(0, 50),
      })
    })
  },
}

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
