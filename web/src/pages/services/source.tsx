/** The files a service is made from, as they run or as they stand on disk, and its config with where each value is from. */
import { useAsk } from '../../api/use-ask.ts'
import { Card } from '../../parts/card.tsx'
import { Code } from '../../parts/code.tsx'
import { SelectField } from '../../parts/field.tsx'
import { AskedView, Empty, Failure } from '../../parts/states.tsx'
import { Table } from '../../parts/table.tsx'
import { route, setQuery } from '../../route.ts'
import type { Detail } from './one.tsx'

const CHOICES = [
  { value: 'live', text: 'as it runs' },
  { value: 'disk', text: 'as it stands on disk' },
]

export function Source({ detail }: { detail: Detail }) {
  const { api } = detail
  const { which: wanted, file } = route.value.query
  const which = wanted === 'disk' ? 'disk' : 'live'
  const asked = useAsk({ on: ['service.*', 'config.*'] }, 'GET /api/services/{api}/source', {
    params: { api },
    query: { which },
  })
  const paths = Object.keys(asked.value?.files ?? {})
  return (
    <>
      <div class="services-fields">
        <SelectField label="Version" value={which} choices={CHOICES} onPick={(picked) => setQuery({ which: picked })} />
        <SelectField
          label="File"
          value={shownFile(paths, file, detail)}
          choices={paths}
          onPick={(picked) => setQuery({ file: picked })}
        />
      </div>
      <AskedView asked={asked} label="The files">
        {({ files }) => <Text files={files} file={shownFile(Object.keys(files), file, detail)} detail={detail} />}
      </AskedView>
      {/* Not before the text above it, which would push it away. */}
      {asked.state !== 'loading' && <Config api={api} />}
    </>
  )
}

/** The one that is asked for, else the one that is broken, else the module's own. Pure. */
export function shownFile(
  files: readonly string[],
  wanted: string | undefined,
  { last_error, source_file }: Pick<Detail, 'last_error' | 'source_file'>,
): string {
  const known = [wanted, last_error?.file, source_file].find((file) => file != null && files.includes(file))
  return known ?? files[0] ?? ''
}

function Text({ files, file, detail }: { files: Readonly<Record<string, string>>; file: string; detail: Detail }) {
  const text = files[file]
  if (text === undefined) return <Empty title="No files">Nothing of it runs, and nothing is on disk.</Empty>
  const { last_error } = detail
  const line = last_error?.file === file ? last_error.line : undefined
  return <Code text={text} label={file} marked={line === undefined ? [] : [line]} />
}

type Value = { key: string; value: string; origin: string }

function Config({ api }: { api: string }) {
  const asked = useAsk({ on: ['service.*', 'config.*'] }, 'GET /api/configs', { query: { service: api } })
  return (
    <Card title="Config as it takes effect" flush>
      <AskedView asked={asked} label="The config">
        {({ configs }) => (
          <>
            {configs.map((config) => (
              <div key={config.file}>
                {/* One of the module stands over its text. */}
                {config.error !== null && (config.error.file ?? config.file) === config.file && (
                  <Failure error={config.error} />
                )}
                {config.shadowed.length > 0 && <p class="state">Wins over {config.shadowed.join(', ')}.</p>}
                <Table<Value>
                  label={`Values of ${config.file}`}
                  rows={config.values.map(({ key, value, origin }) => ({ key, origin, value: JSON.stringify(value) }))}
                  keyOf={({ key }) => key}
                  columns={[
                    { title: 'Key', cell: ({ key }) => <code>{key}</code>, isHead: true },
                    { title: 'Value', cell: ({ value }) => <code class="services-value">{value}</code> },
                    { title: 'From', cell: ({ origin }) => origin, isExtra: true },
                  ]}
                  empty={<p class="state">{config.file} sets nothing.</p>}
                />
              </div>
            ))}
            {configs.length === 0 && <p class="state">No config asks for it any more.</p>}
          </>
        )}
      </AskedView>
    </Card>
  )
}
