/** Text of a file: with line numbers, and lines that are meant marked. */

export interface CodeProps {
  text: string
  /** said to a screen reader: as a rule the file's path */
  label: string
  /** numbers of lines that are marked, from 1 */
  marked?: readonly number[]
  /** without line numbers: for output and JSON */
  plain?: boolean
}

export function Code({ text, label, marked = [], plain = false }: CodeProps) {
  const lines = text.replace(/\n$/, '').split('\n')
  return (
    <pre class={plain ? 'code is-plain' : 'code'} tabIndex={0} aria-label={label} role="region">
      <code>
        {plain
          ? text
          : lines.map((line, at) => (
              <span key={at} class={marked.includes(at + 1) ? 'code-line is-marked' : 'code-line'}>
                <span class="code-number" aria-hidden="true">
                  {at + 1}
                </span>
                {`${line}\n`}
              </span>
            ))}
      </code>
    </pre>
  )
}

/** A value as JSON with line breaks. */
export function JsonCode({ value, label }: { value: unknown; label: string }) {
  return <Code plain label={label} text={JSON.stringify(value, null, 2) ?? 'undefined'} />
}
