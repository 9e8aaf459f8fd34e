/** What differs between two versions, file by file, as the API tells it: patches with their lines marked. */
import { useMemo } from 'preact/hooks'
import type { ApiAnswer } from '../../api/client.ts'
import { patchLines } from './patch-lines.ts'

export type VersionDiff = ApiAnswer<'GET /api/services/{api}/diff'>

export function Differences({ diff }: { diff: VersionDiff }) {
  if (diff.files.length === 0) return <p class="dim">No difference.</p>
  return (
    <>
      {diff.files.map(({ path, change, lines_added, lines_removed, patch }) => (
        <figure key={path} class="diff">
          <figcaption>
            <code>{path}</code> {change}, +{lines_added} −{lines_removed}
          </figcaption>
          <Patch text={patch} label={`Changes of ${path}`} />
        </figure>
      ))}
    </>
  )
}

const SAID = { in: 'put in: ', out: 'taken out: ', same: '', gap: '' } as const
const SIGNS = { in: '+', out: '−', same: ' ', gap: '' } as const

/** A patch as `diff -u` prints it. */
export function Patch({ text, label }: { text: string; label: string }) {
  const lines = useMemo(() => patchLines(text), [text])
  return (
    <pre class="code" tabIndex={0} role="region" aria-label={label}>
      {lines.map(({ kind, number, text: line }, at) => (
        <span key={at} class={`code-line is-${kind}`}>
          {kind !== 'gap' && (
            <>
              <span class="code-number" aria-hidden="true">
                {number}
              </span>
              <span class="code-sign" aria-hidden="true">
                {SIGNS[kind]}
              </span>
              <span class="unseen">{SAID[kind]}</span>
            </>
          )}
          {`${line}\n`}
        </span>
      ))}
    </pre>
  )
}
