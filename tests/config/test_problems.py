"""What an operator is told when a setting is wrong: where it stands, what is expected, and never a secret."""

import pytest

from config_support import TOKEN, Operator


class TestUnknownKeys:
    def test_in_the_environment(self, operator: Operator) -> None:
        operator.environ["TGLLM_ADMIN_ID"] = "1"

        assert operator.is_told() == "environment: unknown variable TGLLM_ADMIN_ID; did you mean TGLLM_ADMIN_IDS?"

    def test_in_the_environment_below_a_section(self, operator: Operator) -> None:
        operator.environ["TGLLM_TURNS_IDLE_TIMEOUT"] = "1"

        assert operator.is_told().endswith("did you mean TGLLM_TURNS__IDLE_TIMEOUT?")

    def test_in_a_dotenv(self, operator: Operator) -> None:
        operator.writes_dotenv("TGLLM_TOKEN=x")

        assert operator.is_told() == f"{operator.dotenv}:1: unknown variable TGLLM_TOKEN; did you mean TGLLM_BOT_TOKEN?"

    def test_in_a_file(self, operator: Operator) -> None:
        operator.writes_toml("default_modle = 'x/y'")

        assert operator.is_told() == f"{operator.toml}:1: unknown key default_modle; did you mean default_model?"

    def test_in_a_section_of_a_file(self, operator: Operator) -> None:
        operator.writes_toml("[turns]\nidle_timout = 3")

        assert (
            operator.is_told() == f"{operator.toml}:2: unknown key turns.idle_timout; did you mean turns.idle_timeout?"
        )

    def test_a_section_of_a_file(self, operator: Operator) -> None:
        operator.writes_toml("[streeming]\nedit_interval = 3")

        assert operator.is_told() == f"{operator.toml}:1: unknown key streeming; did you mean streaming?"

    def test_among_the_flags(self, operator: Operator) -> None:
        assert operator.is_told({"data_dri": "x"}) == "flag --data_dri: unknown setting; did you mean data_dir?"

    def test_that_look_like_none_of_ours(self, operator: Operator) -> None:
        operator.writes_toml("zzz = 1")

        assert operator.is_told() == f"{operator.toml}:1: unknown key zzz; `tgllm config show` lists all settings"

    @pytest.mark.parametrize("name", ["TGLLM_PLUGINS__GEMINI", "TGLLM_PLUGINS__", "TGLLM_PLUGINS__A____B"])
    def test_half_a_plugins_name(self, operator: Operator, name: str) -> None:
        operator.environ[name] = "x"

        assert "write TGLLM_PLUGINS__<ID>__<FIELD>" in operator.is_told()


class TestWrongValues:
    @pytest.mark.parametrize(
        ("name", "text", "expected"),
        [
            ("TGLLM_TURNS__IDLE_TIMEOUT", "soon", "must be a valid number"),
            ("TGLLM_TURNS__IDLE_TIMEOUT", "0", "must be greater than 0"),
            ("TGLLM_TURNS__IDLE_TIMEOUT", "nan", "must be a finite number"),
            ("TGLLM_TURNS__MAX_PARALLEL", "0", "must be greater than or equal to 1"),
            ("TGLLM_TURNS__ATTEMPTS", "1.5", "must be a valid integer"),
            ("TGLLM_STREAMING__KEEP_ALIVE", "30", "must be less than or equal to 24"),
            ("TGLLM_SENDING__POLL_TIMEOUT", "51", "must be less than or equal to 50"),
            ("TGLLM_SENDING__PACED", "perhaps", "must be a valid boolean"),
            ("TGLLM_LOG__LEVEL", "loud", "must be 'debug', 'info', 'warning' or 'error'"),
            ("TGLLM_LOG__FORMAT", "xml", "must be 'json', 'console' or 'auto'"),
            (
                "TGLLM_ADMIN_IDS",
                "1,@ann",
                "must be Telegram user ids, which are numbers such as 123456789; '@ann'",
            ),
            ("TGLLM_ADMIN_IDS", "-100123", "must be user ids, which are positive numbers; -100123 is not one"),
            ("TGLLM_ADMIN_IDS", "4503599627370496", "must be user ids, which are positive numbers"),
            ("TGLLM_ADMIN_IDS", "1" * 5000, "must be user ids, which are positive numbers"),
            ("TGLLM_ADMIN_CHAT_ID", "@admins", "must be a valid integer"),
            ("TGLLM_ADMIN_CHAT_ID", "-4503599627370496", "must be the id of a chat, a number such as -1001234567890"),
            ("TGLLM_ADMIN_CHAT_ID", "0", "must be the id of a chat"),
            ("TGLLM_DATA_DIR", "~nobody-of-that-name/data", "must be the path of a folder; the user after its ~ does"),
            ("TGLLM_TELEGRAM_API", "api.telegram.org", "must be an address such as https://api.telegram.org"),
            ("TGLLM_TELEGRAM_API", "ftp://x", "must be an address such as"),
            ("TGLLM_TELEGRAM_API", "http://[x", "must be an address such as"),
            ("TGLLM_DEFAULT_MODEL", "gpt", "must be written provider/model, such as echo/echo"),
            ("TGLLM_BOT_TOKEN", "hello", "must be a bot token as @BotFather shows it"),
            ("TGLLM_LANGUAGE", "Russian!", "must be a language tag such as en or ru"),
        ],
    )
    def test_say_where_they_stand_and_what_is_expected(
        self, operator: Operator, name: str, text: str, expected: str
    ) -> None:
        operator.environ[name] = text

        told = operator.is_told()
        assert told.startswith(f"environment variable {name}: {expected}")
        assert "\n" not in told

    def test_in_a_file(self, operator: Operator) -> None:
        operator.writes_toml("[turns]\nattempts = 0")

        assert operator.is_told().startswith(f"{operator.toml}:2 (turns.attempts): must be greater than")

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("data_dir = 5", "(data_dir): must be the path of a folder"),
            ('data_dir = ""', "(data_dir): must be the path of a folder"),
            ('data_dir = "a\\u0000b"', "(data_dir): must be the path of a folder"),
            ("disable_plugins = [['echo']]", "(disable_plugins): must be names, in a list or with commas between them"),
            ("disable_plugins = 3", "(disable_plugins): must be names"),
            ("[turns]\nattempts = true", "(turns.attempts): must be a number, not true or false"),
            ("[turns]\nidle_timeout = false", "(turns.idle_timeout): must be a number"),
            ("admin_chat_id = true", "(admin_chat_id): must be a number"),
            ("[retention]\nupdates_days = 1e12", "(retention.updates_days): must be less than or equal to 36500"),
        ],
    )
    def test_of_a_type_that_only_a_file_can_have(self, operator: Operator, text: str, expected: str) -> None:
        operator.writes_toml(text)

        line = text.count("\n") + 1
        assert operator.is_told().startswith(f"{operator.toml}:{line} {expected}")

    def test_a_table_in_place_of_a_value(self, operator: Operator) -> None:
        operator.writes_toml("[bot_token]\nx = 1\n[data_dir]\ny = 2")

        assert [line.split(": ")[0] for line in operator.is_told().splitlines()] == [
            f"{operator.toml}:1 (bot_token)",
            f"{operator.toml}:3 (data_dir)",
        ]

    @pytest.mark.parametrize("section", ["turns", "plugins"])
    def test_a_value_in_place_of_a_table(self, operator: Operator, section: str) -> None:
        operator.writes_toml(f"{section} = 3")

        assert operator.is_told() == (
            f"{operator.toml}:1: {section} is a table; write it as [{section}] with its settings below"
        )

    def test_a_value_in_place_of_a_plugins_table(self, operator: Operator) -> None:
        operator.writes_toml("[plugins]\ngemini = 3")

        assert operator.is_told() == f"{operator.toml}:2: plugins.gemini is a table; write it as [plugins.gemini]"


class TestSecrets:
    @pytest.mark.parametrize("token", ["not a token", f"{TOKEN} and more", f"x{TOKEN}"])
    def test_a_wrong_token_is_not_repeated(self, operator: Operator, token: str) -> None:
        operator.environ["TGLLM_BOT_TOKEN"] = token

        told = operator.is_told()
        assert token not in told
        assert TOKEN not in told

    def test_a_token_in_the_wrong_place_is_not_repeated(self, operator: Operator) -> None:
        operator.environ["TGLLM_ADMIN_IDS"] = TOKEN

        assert "AAHdqTcv" not in operator.is_told()


class TestBrokenFiles:
    def test_toml_with_its_line(self, operator: Operator) -> None:
        operator.writes_toml("language = 'en'\nadmin_ids = [1\nx")

        assert operator.is_told().startswith(f"{operator.toml}: is not valid TOML: ")
        assert "line 3" in operator.is_told()

    def test_dotenv_with_its_line(self, operator: Operator) -> None:
        operator.writes_dotenv(f"OTHER=1\n'{TOKEN}\n")

        assert operator.is_told() == f"{operator.dotenv}: line 2 is not an assignment; write NAME=value"

    def test_that_can_not_be_looked_at(self, operator: Operator) -> None:
        operator.config_path = operator.folder / ("long" * 100)

        assert operator.is_told() == f"{operator.config_path}: can't be read: File name too long"

    def test_in_the_home_of_nobody(self, operator: Operator) -> None:
        operator.environ["TGLLM_CONFIG"] = "~nobody-of-that-name/tgllm.toml"

        assert operator.is_told() == (
            "environment variable TGLLM_CONFIG: ~nobody-of-that-name/tgllm.toml begins with an unknown user; "
            "write the full path"
        )

    def test_that_are_no_text(self, operator: Operator) -> None:
        operator.writes_toml("")
        operator.toml.write_bytes(b"\xff\xfe")

        assert operator.is_told() == f"{operator.toml}: is not UTF-8 text; save it as UTF-8"


def test_all_problems_are_told_at_once(operator: Operator) -> None:
    operator.writes_toml("lnguage = 'en'\n[turns]\nattempts = 0")
    operator.environ |= {"TGLLM_ADMIN_ID": "1", "TGLLM_LOG__LEVEL": "loud"}

    assert len(operator.is_told().splitlines()) == 4


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("TGLLM_TURNS__IDLE_TIMEOUT", "-5", "must be greater than 0, such as 120 seconds; it is -5"),
        ("TGLLM_ADMIN__SESSION_MINUTES", "0", "must be greater than 0, such as 10 minutes; it is 0"),
        ("TGLLM_FILES__MAX_MB", "-1", "must be greater than 0, such as 50 MiB; it is -1"),
        ("TGLLM_TURNS__ATTEMPTS", "0", "must be greater than or equal to 1, such as"),
    ],
)
def test_a_right_number_is_shown_with_its_unit(operator: Operator, name: str, text: str, expected: str) -> None:
    operator.environ[name] = text

    assert expected in operator.is_told()
