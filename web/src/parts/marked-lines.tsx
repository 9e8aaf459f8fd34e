/**
 * Lines of a text with what was taken out and put in, marked by sign, color and words; and what is said between them.
 * One way to draw a difference, however it was found: two texts (`Diff`) or what `diff -u` prints (`Patch`).
 */
export type MarkedLine =
  | { kind: 'same' | 'out' | 'in'; text: string; number: number | undefined }
  /** lines that are left out, or words about the whole */
  | { kind: 'note'; text: string }

export interface MarkedLinesProps {
  lines: readonly MarkedLine[]
  /** of the region, for a screen reader */
  label: string
}

const SIGNS = { same: ' ', out: '−', in: '+' } as const
const SAID = { same: '', out: 'taken out: ', in: 'put in: ' } as const

export function MarkedLines({ lines, label }: MarkedLinesProps) {
  return (
    <pre class="code" tabIndex={0} role="region" aria-label={label}>
      {lines.map((line, at) => (
        <Line key={at} line={line} />
      ))}
    </pre>
  )
}

function Line({ line }: { line: MarkedLine }) {
  if (line.kind === 'note') return <span class="code-line is-gap">{`${line.text}\n`}</span>
  return (
    <span class={`code-line is-${line.kind}`}>
      <span class="code-number" aria-hidden="true">
        {line.number}
      </span>
      <span class="code-sign" aria-hidden="true">
        {SIGNS[line.kind]}
      </span>
      <span class="unseen">{SAID[line.kind]}</span>
      {`${line.text}\n`}
    </span>
  )
}
