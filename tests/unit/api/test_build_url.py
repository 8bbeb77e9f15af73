"""What a build's URL says."""

import pytest

from vmpooler_api.metrics.builds import Build, read_build_url

JOB = "https://jenkins.example.com/job/platform_pe-modules_intn-van-sys_extra_2019.8.x"


def test_a_url_of_a_matrix_build_says_everything() -> None:
    url = f"{JOB}/LAYOUT=centos6-64mcd-ubuntu,RMM_COMPONENT_TO_TEST_NAME=puppetlabs-apt,PLATFORM=x/lastBuild/"
    assert read_build_url(url) == Build(
        jenkins_instance="jenkins_example_com",
        value_stream="platform",
        branch="2019_8_x",
        project="pe-modules",
        job_name="intn-van-sys_extra",
        component="puppetlabs-apt",
    )


@pytest.mark.parametrize("labels", ["LAYOUT=x", "x", "", "RMM_COMPONENT_TO_TEST_NAME=", "=,=,="])
def test_without_a_component_there_is_none(labels: str) -> None:
    build = read_build_url(f"{JOB}/{labels}")
    assert build is not None
    assert build.component == "none"


def test_the_first_component_counts() -> None:
    build = read_build_url(f"{JOB}/RMM_COMPONENT_TO_TEST_NAME=a,RMM_COMPONENT_TO_TEST_NAME=b=c")
    assert build is not None
    assert build.component == "a"


def test_a_job_may_lack_a_name_of_its_own() -> None:
    build = read_build_url("http://ci:8080/job/stream_project_main/x")
    assert build is not None
    assert (build.jenkins_instance, build.project, build.job_name) == ("ci:8080", "project", "none")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "jenkins",
        "://host/job/a_b_c/x",
        "https:///job/a_b_c/x",
        "https://host/job/a_b_c",
        "https://host/job/nothing/x",
        "https://host/job/a_b/x",
        "https://host/job/_b_c/x",
        "https://host/job/a__c/x",
        "https://host/job/a_b_/x",
    ],
)
def test_another_url_says_nothing(url: str) -> None:
    assert read_build_url(url) is None
