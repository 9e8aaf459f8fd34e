/** What is said of the ledger, and its export: every entry from the first on, page by page, as one file. */
import { ask, type ApiAnswer } from '../../api/client.ts'

export type Entry = ApiAnswer<'GET /api/ledger'>['entries'][number]
type Check = ApiAnswer<'GET /api/ledger/verify'>

const FAULTS: Readonly<Record<NonNullable<Check['fault']>, string>> = {
  altered: 'it was altered',
  missing: 'it is missing',
  cut: 'the last entries are gone',
  head_altered: 'the head kept beside it is gone or another',
}

export const faultText = ({ at, fault, entries }: Check): string =>
  `Entry ${at ?? entries + 1} is not what was written: ${fault === null ? 'unknown' : FAULTS[fault]}. ${entries} before it are right`

const KIB = 1_024

export function bytesText(bytes: number): string {
  if (bytes < KIB) return `${bytes} bytes`
  if (bytes < KIB * KIB) return `${(bytes / KIB).toFixed(1)} KiB`
  return `${(bytes / KIB / KIB).toFixed(1)} MiB`
}

const PAGE = 1_000

/** Resolves to how many entries were saved. */
export async function exportAll(tell: (count: number) => void): Promise<number> {
  const pieces: string[] = []
  let count = 0
  for (let after = 0; ; ) {
    const { entries } = await ask('GET /api/ledger', { query: { after, limit: PAGE } })
    const last = entries.at(-1)
    if (last === undefined) break
    pieces.push(entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''))
    after = last.sequence
    count += entries.length
    tell(count)
  }
  save('ledger.jsonl', new Blob(pieces, { type: 'application/jsonl' }))
  return count
}

function save(name: string, blob: Blob): void {
  const url = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  URL.revokeObjectURL(url)
}
