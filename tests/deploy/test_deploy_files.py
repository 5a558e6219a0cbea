"""The files for deployments fit the product: variables, paths, ports, limits."""

import configparser
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from tgllm.config.sections.webhook import WebhookSection, refused_by_telegram
from tgllm.config.sources.keys import FIELDS, SECRETS

ROOT = Path(__file__).resolve().parents[2]
UNIT = ROOT / "deploy" / "systemd" / "tgllm.service"
PLUGIN_KEYS = {"DEEPSEEK_API_KEY", "GEMINI_API_KEY", "MISTRAL_API_KEY"}
DRAIN_SECONDS = 20 + 40
"""``turns.stop_timeout`` by default, and what a shutdown may take besides."""


def variable(key: str) -> str:
    return "TGLLM_" + key.replace(".", "__").upper()


KNOWN = {variable(key) for key in FIELDS} | PLUGIN_KEYS | {"TGLLM_CONFIG"}
KNOWN |= {f"{variable(key)}_FILE" for key in SECRETS} | {f"{key}_FILE" for key in PLUGIN_KEYS}


def load(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text())


def manifest(kind: str, name: str = "tgllm") -> dict[str, Any]:
    documents = yaml.safe_load_all((ROOT / f"deploy/kubernetes/{name}.yaml").read_text())
    (found,) = (document for document in documents if document["kind"] == kind)
    return found


def seconds(text: str) -> int:
    found = re.fullmatch(r"(\d+)(s|m)?", text)
    assert found is not None, text
    return int(found[1]) * (60 if found[2] == "m" else 1)


def dockerfile(instruction: str) -> list[str]:
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    return re.findall(rf"^{instruction} +(.*)$", text, re.MULTILINE)


@pytest.mark.parametrize("name", ["compose.yaml", "deploy/casaos/docker-compose.yml"])
def test_a_service_of_compose_has_limits_and_no_rights(name: str) -> None:
    compose = load(name)
    (service,) = compose["services"].values()

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == "unless-stopped"
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert set(service["logging"]["options"]) == {"max-size", "max-file"}
    assert seconds(service["stop_grace_period"]) > DRAIN_SECONDS
    assert "ports" not in service
    volume, _, path = service["volumes"][0].partition(":")
    assert volume in compose["volumes"]
    assert [path] == dockerfile("VOLUME")
    assert set(service["environment"]) <= KNOWN


def test_compose_needs_nothing_but_the_env_file() -> None:
    compose = load("compose.yaml")
    (service,) = compose["services"].values()

    assert service["env_file"] == ".env"
    assert service["build"] == "."
    assert "secrets" not in compose
    assert service["environment"] == {"TGLLM_DATA_DIR": "/data"}
    assert "$" not in (ROOT / "compose.yaml").read_text()
    assert " ".join(service["healthcheck"]["test"]) == "CMD tgllm ping"


def test_secrets_of_compose_are_files_that_settings_name() -> None:
    compose = load("compose.secrets.yaml")
    (service,) = compose["services"].values()

    assert set(service["environment"]) <= KNOWN
    assert {Path(path).name for path in service["environment"].values()} == set(compose["secrets"])
    assert service["secrets"] == list(compose["secrets"])
    assert {secret["file"] for secret in compose["secrets"].values()} == {
        f"secrets/{name}" for name in compose["secrets"]
    }
    assert "/secrets/" in (ROOT / ".gitignore").read_text().splitlines()


def has_docker_compose() -> bool:
    command = ["docker", "compose", "version"]
    return bool(shutil.which("docker")) and subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(
    not has_docker_compose(), reason="there is no docker compose here; the rules of the files are tested"
)
def test_docker_compose_accepts_the_files(tmp_path: Path) -> None:
    for name in ("compose.yaml", "compose.secrets.yaml", "Dockerfile"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / ".env").write_text("TGLLM_BOT_TOKEN=1:TEST\nTGLLM_ADMIN_IDS=1\n")
    for files in (["compose.yaml"], ["compose.yaml", "compose.secrets.yaml"]):
        command = ["docker", "compose", *(f"--file={name}" for name in files), "config", "--quiet"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_only_what_the_image_needs_is_sent_to_the_builder() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()

    assert lines[1] == "*"
    assert {line[1:] for line in lines if line.startswith("!")} >= {
        "src",
        "plugins",
        "pyproject.toml",
        "constraints.txt",
    }


def test_the_dockerfile_names_extras_and_packages_of_this_repository() -> None:
    extras = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"])
    (wanted,) = re.findall(r"^ARG EXTRAS=(\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    packages = set(re.findall(r"\btgllm-[a-z]+\b", " ".join(dockerfile("RUN"))))

    assert {"files", "fast", "metrics", "sentry"} <= set(wanted.split(",")) <= extras
    assert packages == {"tgllm-gemini", "tgllm-mistral", "tgllm-dipseek", "tgllm-openai", "tgllm-anthropic"}
    assert all((ROOT / "plugins" / package.replace("-", "_")).is_dir() for package in packages)


def test_guides_say_how_an_image_gets_what_a_setting_needs() -> None:
    (held,) = re.findall(r"^ARG EXTRAS=(\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    for page, extra in (("use-sentry", "sentry"), ("monitor", "metrics"), ("monitor", "tracing")):
        text = " ".join((ROOT / f"docs/howto/{page}.md").read_text().split())
        built = f"--build-arg EXTRAS={held},{extra}"

        assert (built in text) if extra not in held.split(",") else f"The image has the extra `{extra}`" in text


# Kubernetes.


def test_kubernetes_runs_one_replica_and_never_two() -> None:
    spec = manifest("Deployment")["spec"]
    pod = spec["template"]["spec"]

    assert spec["replicas"] == 1
    assert spec["strategy"] == {"type": "Recreate"}
    assert spec["selector"]["matchLabels"].items() <= spec["template"]["metadata"]["labels"].items()
    assert pod["terminationGracePeriodSeconds"] > DRAIN_SECONDS


MANIFESTS = pytest.mark.parametrize("name", ["tgllm", "replicas"])


@MANIFESTS
def test_kubernetes_gives_the_container_no_rights(name: str) -> None:
    pod = manifest("Deployment", name)["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    user, group = map(int, dockerfile("USER")[0].split(":"))

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert (pod["securityContext"]["runAsUser"], pod["securityContext"]["fsGroup"]) == (user, group)
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"]


@MANIFESTS
def test_kubernetes_names_variables_ports_and_paths_that_exist(name: str) -> None:
    pod = manifest("Deployment", name)["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    variables = {item["name"]: item.get("value", "") for item in container["env"]}
    named = [variables[port] for port in ("TGLLM_WEB__PORT", "TGLLM_WEBHOOK__PORT") if port in variables]
    mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in pod["volumes"]}

    assert set(variables) <= KNOWN
    assert [int(port) for port in named] == [port["containerPort"] for port in container["ports"]]
    assert set(mounts.values()) == set(volumes)
    assert (
        volumes[mounts["/data"]]["persistentVolumeClaim"]["claimName"]
        == manifest("PersistentVolumeClaim", name)["metadata"]["name"]
    )
    files = [Path(value) for name, value in variables.items() if name.endswith("_FILE")]
    assert files
    assert all(str(path.parent) in mounts for path in files)


@MANIFESTS
def test_the_probes_ask_for_what_the_web_server_has(name: str) -> None:
    (container,) = manifest("Deployment", name)["spec"]["template"]["spec"]["containers"]
    served = "".join(path.read_text() for path in (ROOT / "src/tgllm/web").rglob("*.py"))
    paths = {name: container[name]["httpGet"]["path"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}

    assert paths == {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}
    assert all(f'"{path}"' in served for path in paths.values())
    assert {container[name]["httpGet"]["port"] for name in paths} == {"web"}


# Replicas.


def test_replicas_on_kubernetes_are_replaced_without_a_pause() -> None:
    spec = manifest("Deployment", "replicas")["spec"]
    labels = spec["template"]["metadata"]["labels"]

    assert spec["replicas"] == 3
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    assert spec["template"]["spec"]["terminationGracePeriodSeconds"] > DRAIN_SECONDS
    # Otherwise a second replica would wait for the volume of the first one.
    assert manifest("PersistentVolumeClaim", "replicas")["spec"]["accessModes"] == ["ReadWriteMany"]
    assert manifest("PodDisruptionBudget", "replicas")["spec"]["selector"]["matchLabels"] == labels
    assert manifest("Service", "replicas")["spec"]["selector"] == labels


def test_the_webhook_of_replicas_leads_to_each_of_them() -> None:
    (container,) = manifest("Deployment", "replicas")["spec"]["template"]["spec"]["containers"]
    variables = {item["name"]: item.get("value", "") for item in container["env"]}
    service, ingress = manifest("Service", "replicas"), manifest("Ingress", "replicas")
    (port,), (rule,) = service["spec"]["ports"], ingress["spec"]["rules"]
    (path,) = rule["http"]["paths"]

    assert variables["TGLLM_WEBHOOK__URL"] == f"https://{rule['host']}{path['path']}"
    assert variables["TGLLM_WEBHOOK__HOST"] == "0.0.0.0"
    assert port["targetPort"] in {port["name"] for port in container["ports"]}
    assert path["backend"]["service"] == {"name": service["metadata"]["name"], "port": {"name": port["name"]}}
    # Each pod reads the URL of the database, with its password, from a file.
    assert variables["TGLLM_DATABASE__URL_FILE"].startswith("/run/secrets/")


def test_replicas_of_compose_share_a_database_and_files() -> None:
    compose = load("deploy/compose/replicas.yaml")
    bot, database, proxy = (compose["services"][name] for name in ("bot", "database", "proxy"))

    assert bot["deploy"]["replicas"] == 3
    assert set(bot["environment"]) <= KNOWN
    assert "postgres" in bot["build"]["args"]["EXTRAS"].split(",")
    assert bot["volumes"] == ["data:/data"]
    assert seconds(bot["stop_grace_period"]) > DRAIN_SECONDS
    assert {*bot["secrets"], *database["secrets"]} == set(compose["secrets"])
    assert {Path(path).name for key, path in bot["environment"].items() if key.endswith("_FILE")} == set(bot["secrets"])
    for service in (bot, database, proxy):
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["mem_limit"]
    # Without a certificate, nothing but the machine itself may reach the proxy.
    assert all(port.startswith("127.0.0.1:") for port in proxy["ports"])
    nginx = compose["configs"]["nginx"]["content"]
    assert f"server bot:{bot['environment']['TGLLM_WEBHOOK__PORT']} " in nginx
    assert f"location = /{bot['environment']['TGLLM_WEBHOOK__URL'].rpartition('/')[2]} " in nginx


# Unraid.


def test_the_template_for_unraid_names_variables_that_exist() -> None:
    template = ET.parse(ROOT / "deploy/unraid/tgllm.xml").getroot()
    configs = template.findall("Config")
    targets = {config.attrib["Target"]: config for config in configs}
    secrets = {name for name in targets if name.endswith(("_TOKEN", "_KEY"))}

    assert {name for name in targets if not name.startswith("/")} <= KNOWN
    assert {name for name in targets if name.startswith("/")} == set(dockerfile("VOLUME"))
    assert {name for name, config in targets.items() if config.attrib["Mask"] == "true"} == secrets
    assert {"--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges:true"} <= set(
        str(template.findtext("ExtraParams")).split()
    )


# systemd.


def unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=False, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment]  keeps capital letters in keys, as the standard library documents
    parser.read_string(UNIT.read_text())
    return parser


def test_the_unit_fits_the_program() -> None:
    service = unit()["Service"]
    names = re.findall(r"^Environment=(\w+)=", UNIT.read_text(), re.MULTILINE)

    assert service["Type"] == "notify"
    assert service["RestartPreventExitStatus"] == "2"
    assert int(service["TimeoutStopSec"]) > DRAIN_SECONDS
    assert set(names) <= KNOWN
    assert "TGLLM_BOT_TOKEN=" not in UNIT.read_text()
    # Code that blocks the event loop is interrupted after 10 s: the watchdog is for what that does not end.
    assert int(service["WatchdogSec"]) >= 60


def systemd_analyze(tmp_path: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    copy = tmp_path / UNIT.name
    copy.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", UNIT.read_text(), flags=re.MULTILINE))
    return subprocess.run(
        ["systemd-analyze", *arguments, str(copy)], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd on this machine")
def test_systemd_accepts_the_unit_and_finds_it_hardened(tmp_path: Path) -> None:
    verified = systemd_analyze(tmp_path, "verify")
    assert (verified.returncode, verified.stderr) == (0, "")

    judged = systemd_analyze(tmp_path, "security", "--offline=true")
    found = re.search(r"exposure level for tgllm.service: ([\d.]+)", judged.stdout)
    assert found is not None, judged.stdout
    assert float(found[1]) < 2.0


# The guides.


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "howto").glob("deploy-*.md")), ids=lambda page: page.stem)
def test_a_guide_has_no_figure_left_open(page: Path) -> None:
    assert re.findall(r"@[A-Z]+@|TODO|TBD", page.read_text()) == []


@pytest.mark.parametrize("name", ["deploy/caddy/Caddyfile", "deploy/nginx/tgllm.conf"])
def test_a_proxy_passes_one_path_to_the_webhook_and_nothing_else(name: str) -> None:
    text = (ROOT / name).read_text()
    webhook = WebhookSection()

    assert f"{webhook.host}:{webhook.port}" in text
    assert re.findall(r"(?:handle|location) (?:= )?(/\S*) ", text) in (["/telegram"], ["/telegram", "/"])
    assert re.search(r"(respond|return) 404", text)
    # The bot sees the id of an update that is too large for it, and can put it aside.
    (size,) = re.findall(r"(?:max_size|client_max_body_size) (\d+)(?:MB|m)", text)
    assert int(size) * 1000 > webhook.max_kb
    assert "docs/howto/receive-updates-by-a-webhook.md" in text
    assert "X-Forwarded-For" in text


def test_the_page_about_the_webhook_has_the_address_of_the_proxies() -> None:
    page = (ROOT / "docs/howto/receive-updates-by-a-webhook.md").read_text()
    urls = set(re.findall(r'url = "(\S+)"', page))

    assert urls == {"https://bot.example.org/telegram"}
    assert all(not refused_by_telegram(url) for url in urls)
