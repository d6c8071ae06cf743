import { filesOf, type ProjectInfo } from './project-info.ts'

/** How jest compiles TypeScript. */
interface JestTransform {
  /** The package that does it. */
  readonly name: string
  /** A line of jest's configuration; `undefined` for jest's own, which takes Babel's configuration. */
  readonly line: string | undefined
}

const TRANSFORMS: readonly JestTransform[] = [
  { name: 'ts-jest', line: "preset: 'ts-jest'" },
  { name: '@swc/jest', line: "transform: { '^.+\\\\.[jt]sx?$': '@swc/jest' }" },
  { name: 'esbuild-jest', line: "transform: { '^.+\\\\.[jt]sx?$': 'esbuild-jest' }" },
  { name: '@babel/preset-typescript', line: undefined },
]

/** The first of these that the project has; `undefined` if jest runs JavaScript only. */
export function jestTransform({ packages }: ProjectInfo): JestTransform | undefined {
  return TRANSFORMS.find(({ name }) => packages.has(name))
}

/** Whether jest compiles TypeScript, once the proposed files are written. */
export function runsTypeScript(project: ProjectInfo): boolean {
  const transform = jestTransform(project)
  if (transform === undefined) return false
  const texts = filesOf(project, 'jest').map((path) => project.files.get(path) ?? '')
  const packageOptions = /"jest":\s*\{.*/s.exec(project.files.get('package.json') ?? '')?.[0]
  const configured = [...texts, ...(packageOptions === undefined ? [] : [packageOptions])]
  // Without a configuration, the proposed one has the line.
  return transform.line === undefined || configured.length === 0 || configured.join().includes(transform.name)
}
