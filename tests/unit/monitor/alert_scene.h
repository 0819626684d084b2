/* Monitoring that sends alerts, a monitor that hears them, and what the coordinator keeps. */
#ifndef TESTS_UNIT_MONITOR_ALERT_SCENE_H
#define TESTS_UNIT_MONITOR_ALERT_SCENE_H

#include "services/monitor/core/incident_book.h"
#include "services/monitor/monitor.h"
#include "tests/support/worker_world.h"

struct alert_scene {
    const char *writer; /* Who signs what is sent; NULL: nobody. */
    struct worker_world world;
    struct arena arena;
    void *monitor;
    struct bus_record record; /* Of the batch being made. */
    Pb__AlertBatch *batch;
    int64_t ahead_ms; /* 0: the coordinator's clock is right, else it stood there once. */
    uint64_t versions;
};

/* The coordinator has folded all of its log: what it keeps is to be believed. Done by open. */
void alert_scene_whole(struct alert_scene *f);

/* The monitor dies and another starts. */
void alert_scene_restart(struct alert_scene *f);
int alert_scene_open(void **state);
int alert_scene_close(void **state);

/* The coordinator keeps a deployment of shop in production with one flag, in that phase. */
void alert_scene_deploy(struct alert_scene *f,
                        const char *id,
                        const char *feature,
                        Pb__Phase phase);

/* Adds a critical, firing alert of shop in production to the batch being made. */
Pb__Alert *alert_add(struct alert_scene *f, const char *name, const char *fingerprint);

/* Puts any message on alerts.v1. */
void alert_publish(struct alert_scene *f, const void *message, const char *id);

/* Puts the batch on alerts.v1. */
void alert_send(struct alert_scene *f);

/* One turn of the monitor. */
enum err alert_turn(struct alert_scene *f);

/* Turns until everything sent was heard; none may fail. */
void alert_hear(struct alert_scene *f);
void alert_send_and_hear(struct alert_scene *f);

/* How many incidents of that deployment are on the log; ret: the newest. */
size_t alert_incidents(struct alert_scene *f,
                       const char *deployment,
                       Pb__IncidentReported **ret);

/* Records of partition 0. */
size_t alert_count_records(struct alert_scene *f, const char *topic);

/* Alerts of shop that Redis has. */
size_t alert_remembered(struct alert_scene *f);

#endif
