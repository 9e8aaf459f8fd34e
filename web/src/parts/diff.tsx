/** What changed in a text: lines taken out and put in, marked by sign and color; long runs of equal lines are folded. */
import { useMemo } from 'preact/hooks'
import { diffLines, folded } from './diff-lines.ts'
import { MarkedLines, type MarkedLine } from './marked-lines.tsx'

export interface DiffProps {
  before: string
  after: string
  /** as a rule the file's path */
  label: string
}

export function Diff({ before, after, label }: DiffProps) {
  const lines = useMemo(() => folded(diffLines(before, after)), [before, after])
  const changed = lines.some((line) => 'kind' in line)
  const marked = lines.map(
    (line): MarkedLine =>
      'gap' in line
        ? { kind: 'note', text: `${line.gap} equal lines` }
        : { kind: line.kind, text: line.text, number: line.after ?? line.before },
  )
  return (
    <figure class="diff">
      <figcaption>
        <code>{label}</code>
      </figcaption>
      {changed ? <MarkedLines lines={marked} label={`Changes of ${label}`} /> : <p class="dim">No difference.</p>}
    </figure>
  )
}
