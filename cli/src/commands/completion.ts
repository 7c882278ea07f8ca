import type { Command } from 'commander';
import { EXIT, type Surroundings } from '../surroundings.ts';

export type Shell = 'bash' | 'zsh' | 'fish';

/** A command with the verbs that lead to it, `sluice audit list`. */
interface Place {
  readonly path: string;
  readonly command: Command;
}

/** Prints what makes a shell complete verbs and options; made of the verbs themselves, so nothing is started for it. */
export const completion = async (shell: Shell, program: Command, io: Surroundings): Promise<number> => {
  const places = placesIn(program, program.name());
  io.out.write(shell === 'fish' ? fishScript(places) : bashScript(places, shell === 'zsh'));
  return EXIT.ok;
};

const placesIn = (command: Command, path: string): Place[] => [
  { path, command },
  ...command.commands.flatMap((child) => placesIn(child, `${path} ${child.name()}`)),
];

const optionsOf = ({ options }: Command): string[] => [
  ...options.flatMap(({ long }) => (long ? [long] : [])),
  '--help',
];

const wordsOf = ({ command }: Place): string =>
  [...command.commands.map((child) => child.name()), ...optionsOf(command)].join(' ');

/** zsh takes the functions of bash. */
const bashScript = (places: readonly Place[], isZsh: boolean): string => {
  const deeper = places.slice(1).map(({ path }) => `"${path}"`);
  return `${isZsh ? 'autoload -U +X bashcompinit && bashcompinit\n' : ''}_sluice() {
  local path="sluice" words="" at
  for ((at = 1; at < COMP_CWORD; at++)); do
    case "$path \${COMP_WORDS[at]}" in
      ${deeper.join(' | ')}) path="$path \${COMP_WORDS[at]}" ;;
    esac
  done
  case "$path" in
${places.map((place) => `    "${place.path}") words="${wordsOf(place)}" ;;`).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _sluice sluice
`;
};

const fishScript = (places: readonly Place[]): string => {
  const quoted = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const lines = places.flatMap(({ path, command }) => {
    const verbs = path.split(' ').slice(1);
    const seen = verbs.map((verb) => `__fish_seen_subcommand_from ${verb}`).join('; and ');
    const rest = command.commands.map((child) => child.name());
    const isOpen = rest.length === 0 ? '' : `not __fish_seen_subcommand_from ${rest.join(' ')}`;
    const when = quoted([seen, isOpen].filter(Boolean).join('; and '));
    return [
      ...command.commands.map(
        (child) => `complete -c sluice -f -n ${when} -a ${child.name()} -d ${quoted(child.summary())}`,
      ),
      ...command.options.flatMap(({ long, description, required }) =>
        long
          ? [
              `complete -c sluice -n ${when} -l ${long.slice(2)}${required ? ' -r' : ''} -d ${quoted(description)}`,
            ]
          : [],
      ),
    ];
  });
  return `${lines.join('\n')}\n`;
};
