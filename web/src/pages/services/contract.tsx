/** What others can ask of a service: its methods, its aspects, and its tools with their schemas. */
import { commandOf } from '../../commands.ts'
import { Card } from '../../parts/card.tsx'
import { JsonCode } from '../../parts/code.tsx'
import { CommandLine } from '../../parts/command-line.tsx'
import { Empty } from '../../parts/states.tsx'
import { Table } from '../../parts/table.tsx'
import { Badge } from '../../parts/badge.tsx'
import type { Detail } from './one.tsx'

export function Contract({ detail: { api, methods, aspects, tools } }: { detail: Detail }) {
  return (
    <>
      <Card title="Methods" flush>
        <Table
          label="Methods"
          rows={methods}
          keyOf={({ name }) => name}
          columns={[
            { title: 'Method', cell: ({ name }) => <code>{name}</code>, sort: ({ name }) => name, isHead: true },
            { title: 'Kind', cell: ({ kind }) => kind, sort: ({ kind }) => kind },
            { title: 'Parameters', cell: ({ length }) => length, sort: ({ length }) => length, isNumber: true },
            {
              title: 'Called from a terminal',
              cell: ({ name }) => <CommandLine command={commandOf('call', { method: `${api}.${name}` })} />,
              isExtra: true,
            },
          ]}
          empty={<Empty title="No methods">Nothing of it can be called, or nothing serves.</Empty>}
        />
      </Card>
      <Card title="Tools">
        {tools.length === 0 ? (
          <p class="dim">It offers models no tools: its module has no aspect `tool`.</p>
        ) : (
          <div class="stack">
            {tools.map(({ name, description, schema }) => (
              <details key={name}>
                <summary>
                  <code>{name}</code> <span class="dim">{description}</span>
                </summary>
                <JsonCode value={schema} label={`Schema of ${name}`} />
              </details>
            ))}
          </div>
        )}
      </Card>
      <Card title="Aspects">
        <div class="row">
          {aspects.length === 0 ? (
            <span class="dim">None.</span>
          ) : (
            aspects.map((one) => (
              <Badge key={one} tone="off">
                {one}
              </Badge>
            ))
          )}
        </div>
      </Card>
    </>
  )
}
