/** A change of files as `diff -u` prints it: each file with its lines taken out and put in. */
import { useMemo } from 'preact/hooks'
import { MarkedLines } from './marked-lines.tsx'
import { patchFiles, type PatchFile } from './patch-lines.ts'

export interface PatchProps {
  patch: string
  /** said to a screen reader, where a piece belongs to no file */
  label: string
}

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
      <MarkedLines lines={lines} label={`Changes of ${label}`} />
    </figure>
  )
}
