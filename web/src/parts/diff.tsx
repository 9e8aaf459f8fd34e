/** What changed in a text: lines taken out and put in, marked by sign and color; long runs of equal lines are folded. */
import { useMemo } from 'preact/hooks'
import { diffLines, folded } from './diff-lines.ts'

export interface DiffProps {
  before: string
  after: string
  /** as a rule the file's path */
  label: string
}

const SIGNS = { same: ' ', out: '−', in: '+' } as const
const SAID = { same: '', out: 'taken out: ', in: 'put in: ' } as const

export function Diff({ before, after, label }: DiffProps) {
  const lines = useMemo(() => folded(diffLines(before, after)), [before, after])
  const changed = lines.some((line) => 'kind' in line)
  return (
    <figure class="diff">
      <figcaption>
        <code>{label}</code>
      </figcaption>
      {changed ? (
        <pre class="code" tabIndex={0} role="region" aria-label={`Changes of ${label}`}>
          {lines.map((line, at) =>
            'gap' in line ? (
              <span key={at} class="code-line is-gap">{`${line.gap} equal lines\n`}</span>
            ) : (
              <span key={at} class={`code-line is-${line.kind}`}>
                <span class="code-number" aria-hidden="true">
                  {line.after ?? line.before}
                </span>
                <span class="code-sign" aria-hidden="true">
                  {SIGNS[line.kind]}
                </span>
                <span class="unseen">{SAID[line.kind]}</span>
                {`${line.text}\n`}
              </span>
            ),
          )}
        </pre>
      ) : (
        <p class="dim">No difference.</p>
      )}
    </figure>
  )
}
