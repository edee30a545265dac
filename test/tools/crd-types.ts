/**
 * `npm run generate:crds`: writes `operator/api/<kind>.ts` from `crds/<kind>.yaml`. The types are those of a stored object: fields that have a
 * default are always there.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { compile } from 'json-schema-to-typescript'
import { parse } from 'yaml'

const ROOT = resolve(import.meta.dirname, '../..')
export const KINDS = ['kafkacluster', 'kafkatopic', 'kafkarebalance'] as const

type Schema = Record<string, unknown>

interface Crd {
  spec: {
    names: { kind: string }
    versions: { schema: { openAPIV3Schema: { properties: { spec: Schema; status: Schema } } } }[]
  }
}

/** The TypeScript source of the types of `crds/<file>.yaml`. */
export async function crdTypes(file: (typeof KINDS)[number]): Promise<string> {
  const crd = parse(readFileSync(join(ROOT, 'crds', `${file}.yaml`), 'utf8')) as Crd
  const kind = crd.spec.names.kind
  const [version] = crd.spec.versions
  if (version === undefined) throw new Error(`crds/${file}.yaml has no version`)
  const { spec, status } = version.schema.openAPIV3Schema.properties
  const parts: string[] = [`// Generated from crds/${file}.yaml by "npm run generate:crds": do not edit.`]
  for (const [name, schema] of Object.entries({ [`${kind}Spec`]: spec, [`${kind}Status`]: status })) {
    parts.push(
      await compile(jsonSchema(schema), name, {
        bannerComment: '',
        additionalProperties: false,
        ignoreMinAndMaxItems: true,
        style: { semi: false, singleQuote: true, printWidth: 120, trailingComma: 'all' },
      }),
    )
  }
  return `${parts
    .join('\n\n')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trimEnd()}\n`
}

/** Plain JSON schema of a structural schema: Kubernetes' extensions resolved, defaulted fields required, constraints dropped. */
function jsonSchema(schema: Schema): Schema {
  const properties = schema.properties as Record<string, Schema> | undefined
  const required = new Set(schema.required as string[] | undefined)
  for (const [name, child] of Object.entries(properties ?? {})) if ('default' in child) required.add(name)
  const free = schema['x-kubernetes-preserve-unknown-fields'] === true
  return {
    type: schema['x-kubernetes-int-or-string'] === true ? ['integer', 'string'] : schema.type,
    ...(schema.description === undefined ? {} : { description: schema.description }),
    ...(schema.enum === undefined ? {} : { enum: schema.enum }),
    ...(properties === undefined ? {} : { properties: mapValues(properties, jsonSchema), required: [...required] }),
    ...(schema.items === undefined ? {} : { items: jsonSchema(schema.items as Schema) }),
    ...(schema.additionalProperties === undefined
      ? {}
      : { additionalProperties: jsonSchema(schema.additionalProperties as Schema) }),
    ...(free ? { additionalProperties: true } : {}),
  }
}

function mapValues<A, B>(object: Record<string, A>, convert: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, convert(value)]))
}

if (import.meta.main) {
  for (const kind of KINDS) writeFileSync(join(ROOT, 'operator/api', `${kind}.ts`), await crdTypes(kind))
}
