/** A change of files as `diff -u` prints it: each file with its lines taken out and put in. */
import { useMemo } from 'preact/hooks'
import { patchFiles, type PatchFile, type PatchLine } from './patch-lines.ts'

export interface PatchProps {
  patch: string
  /** said to a screen reader, where a piece belongs to no file */
  label: string
}

const SIGNS = { same: ' ', out: '−', in: '+' } as const
const SAID = { same: '', out: 'taken out: ', in: 'put in: ' } as const
const WORDS = { new: 'new file', gone: 'deleted', changed: '' } as const

export function Patch({ patch, label }: PatchProps) {
  const files = useMemo(() => patchFiles(patch), [patch])
  if (patch.trim() === '') return <p class="dim">No text differs.</p>
  return (
    <div class="stack">
      {files.map((file, at) => (
        <FilePatch key={at} file={file} label={file.path ?? label} />
      ))}
    </div>
  )
}

function FilePatch({ file: { path, is, lines, added, removed }, label }: { file: PatchFile; label: string }) {
  return (
    <figure class="diff">
      {path !== undefined && (
        <figcaption class="row">
          <code>{path}</code>
          <span>
            {WORDS[is]} +{added} −{removed}
          </span>
        </figcaption>
      )}
      <pre class="code" tabIndex={0} role="region" aria-label={`Changes of ${label}`}>
        {lines.map((line, at) => (
          <Line key={at} line={line} />
        ))}
      </pre>
    </figure>
  )
}

function Line({ line }: { line: PatchLine }) {
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
