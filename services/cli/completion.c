/* completion: scripts for the shells, and the names that they ask for. */
#include "services/cli/cli.h"

#include <stdio.h>
#include <string.h>

enum { COMPLETION_MS = 200 };

/* Names of deployments for the scripts below: at once, or none at all and no word about it. */
static enum cli_exit print_names(struct cli *cli)
{
    struct cli_answer answer;
    size_t i;
    json_t *item;

    cli->timeout_ms = COMPLETION_MS;
    cli->silent = true;
    if (cli_get(cli, "/v1/deployments?limit=200", &answer) != EXIT_DONE)
        return EXIT_DONE;
    json_array_foreach(field(answer.body, "items"), i, item)
    {
        (void)printf("%s\n", field_text(item, "id"));
    }
    cli_release(&answer);
    return EXIT_DONE;
}

/* What a word may be that begins with "-", after that verb. */
static void print_flags_of(const struct verb *verb)
{
    size_t count = 0;
    const struct verb_flag *const flags = verbs_flags(&count);

    for (size_t i = 0; i < count; i++) {
        if (verbs_flag_fits(&flags[i], verb) || verbs_flag_fits(&flags[i], NULL))
            (void)printf("%.*s ", (int)strcspn(flags[i].flag, " "), flags[i].flag);
    }
}

static void print_verb_names(void)
{
    size_t count = 0;
    const struct verb *const verbs = verbs_all(&count);

    for (size_t i = 0; i < count; i++)
        (void)printf("%s ", verbs[i].name);
}

/* One row a verb: what may follow it. Names are asked for only where they belong. */
static void print_cases(void)
{
    size_t count = 0;
    const struct verb *const verbs = verbs_all(&count);

    for (size_t i = 0; i < count; i++) {
        const bool named = (verbs[i].kind & VERB_NAMED) != 0;

        (void)printf("    %s) flags=\"", verbs[i].name);
        print_flags_of(&verbs[i]);
        (void)printf("\"; words=\"%s", verbs[i].words);
        if (strcmp(verbs[i].name, "help") == 0)
            print_verb_names();
        (void)printf("\"; names=%d ;;\n", named ? 1 : 0);
    }
}

static void print_bash(void)
{
    (void)printf("# slipway completion bash > /etc/bash_completion.d/slipway\n"
                 "_slipway() {\n"
                 "  local word=\"${COMP_WORDS[COMP_CWORD]}\" flags='' words='' names=0\n"
                 "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
                 "    COMPREPLY=($(compgen -W \"");
    print_verb_names();
    (void)printf("\" -- \"$word\"))\n"
                 "    return\n"
                 "  fi\n"
                 "  case \"${COMP_WORDS[1]}\" in\n");
    print_cases();
    (void)printf("  esac\n"
                 "  case \"$word\" in\n"
                 "    -*) COMPREPLY=($(compgen -W \"$flags\" -- \"$word\")); return ;;\n"
                 "  esac\n"
                 "  [ \"$COMP_CWORD\" -eq 2 ] || return\n"
                 "  [ \"$names\" -eq 0 ] || words=\"$(slipway completion names)\"\n"
                 "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
                 "}\n"
                 "complete -o default -F _slipway slipway\n");
}

static void print_zsh(void)
{
    (void)printf("#compdef slipway\n"
                 "# slipway completion zsh > \"${fpath[1]}/_slipway\"\n"
                 "_slipway() {\n"
                 "  local flags='' verb=\"${words[2]}\" names=0\n"
                 "  if (( CURRENT == 2 )); then\n"
                 "    compadd -- ");
    print_verb_names();
    (void)printf("\n    return\n"
                 "  fi\n"
                 "  local words=''\n"
                 "  case \"$verb\" in\n");
    print_cases();
    (void)printf("  esac\n"
                 "  if [[ \"$PREFIX\" == -* ]]; then\n"
                 "    compadd -- ${=flags}\n"
                 "  elif (( CURRENT == 3 )); then\n"
                 "    (( names )) && words=\"$(slipway completion names)\"\n"
                 "    compadd -- ${=words}\n"
                 "    [[ -n \"$words\" ]] || _files\n"
                 "  else\n"
                 "    _files\n"
                 "  fi\n"
                 "}\n"
                 "compdef _slipway slipway\n");
}

static void print_fish(void)
{
    size_t count = 0;
    const struct verb *const verbs = verbs_all(&count);
    size_t flag_count = 0;
    const struct verb_flag *const flags = verbs_flags(&flag_count);

    for (size_t i = 0; i < count; i++) {
        (void)printf("complete -c slipway -n __fish_use_subcommand -a %s -d '%s'\n",
                     verbs[i].name,
                     verbs[i].summary);
        if ((verbs[i].kind & VERB_NAMED) != 0)
            (void)printf("complete -c slipway -n '__fish_seen_subcommand_from %s' -f "
                         "-a '(slipway completion names)'\n",
                         verbs[i].name);
    }
    for (size_t i = 0; i < flag_count; i++) {
        (void)printf("complete -c slipway -l %.*s",
                     (int)strcspn(flags[i].flag, " ") - 2,
                     flags[i].flag + 2);
        if (flags[i].verb != NULL && flags[i].verb[0] != '\0')
            (void)printf(" -n '__fish_seen_subcommand_from %s'", flags[i].verb);
        (void)putchar('\n');
    }
}

enum cli_exit verb_completion(struct cli *cli)
{
    const char *const shell = cli_next(cli);

    if (shell == NULL || !cli_finished(cli))
        return cli_usage(cli, "completion bash|zsh|fish");
    if (strcmp(shell, "names") == 0)
        return print_names(cli);
    if (strcmp(shell, "bash") == 0)
        print_bash();
    else if (strcmp(shell, "zsh") == 0)
        print_zsh();
    else if (strcmp(shell, "fish") == 0)
        print_fish();
    else
        return cli_usage(cli, "completion bash|zsh|fish");
    return EXIT_DONE;
}
