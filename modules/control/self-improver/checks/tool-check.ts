/**
 * A check that is a development tool's word: it is run over what serves and over what is proposed, and only what it says
 * of the second alone is held against the change. Without the tool, or without code, nothing is said. Used by `types`, `lint`.
 */
import type { KernelApi } from '../../../contracts/module.ts'
import { failed, passed, skipped, type ChangeCheck } from '../check.ts'
import {
  complaintText,
  findTool,
  freshComplaints,
  runTool,
  withCopy,
  type Complaint,
  type Copy,
  type Tool,
} from '../tool-run.ts'

const TOLD_MAX = 8
const KEPT_MAX = 50

export interface ToolCheckSpec {
  name: string
  /** of npm, and what it is: "a linter" */
  package: string
  kind: string
  /** how the verdicts begin */
  fine: string
  wrong: string
  /** May write into the copy's folder what the tool reads. */
  argsFor(copy: Copy, tool: Tool, root: string): string[]
  /** `said`: all the tool printed. Throws where it cannot be understood. */
  complaintsOf(said: string): (side: string) => Complaint[]
}

export function toolCheck(spec: ToolCheckSpec): ChangeCheck {
  return {
    name: spec.name,
    of: 'change',
    async run({ kernel, config, candidate }) {
      const { root } = kernel.paths
      const tool = findTool(root, spec.package)
      if (tool === undefined)
        return skipped(`there is no ${spec.kind}: \`npm install --save-dev ${spec.package}\` in the root`)
      return withCopy(root, candidate, async (copy) => {
        if (copy.files.length === 0) return skipped('it changes no code')
        const fresh = await freshOf(spec, tool, copy, { kernel, ms: config.types_ms })
        if (fresh.length === 0)
          return passed(`${spec.fine} in ${copy.files.length} files (${tool.name} ${tool.version})`)
        const errors = fresh.map(complaintText)
        return failed(`${spec.wrong}: ${errors.slice(0, TOLD_MAX).join('; ')}`, { errors: errors.slice(0, KEPT_MAX) })
      })
    },
  }
}

async function freshOf(
  { argsFor, complaintsOf }: ToolCheckSpec,
  tool: Tool,
  copy: Copy,
  { kernel, ms }: { kernel: KernelApi; ms: number },
): Promise<Complaint[]> {
  const of = complaintsOf(
    await runTool(tool, argsFor(copy, tool, kernel.paths.root), { folder: copy.folder, ms, kernel }),
  )
  return freshComplaints(of('before'), of('after'))
}
