// A vCenter to test against: govmomi's simulator, with guest tools in its VMs and snapshots that are gone back to.
package main

import (
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"log"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// guests plays what runs inside of VMs, and what of snapshots the simulator leaves out.
type guests struct {
	sync.Mutex
	boot      time.Duration
	booted    int
	full      string
	snapshots map[types.ManagedObjectReference]snapshot
}

type snapshot struct {
	devices    []types.BaseVirtualDevice
	annotation string
	extra      []types.BaseOptionValue
}

func (g *guests) Reference() types.ManagedObjectReference {
	return types.ManagedObjectReference{Type: "Guests", Value: "guests"}
}
func (g *guests) PutObject(mo.Reference)                    {}
func (g *guests) RemoveObject(types.ManagedObjectReference) {}
func (g *guests) UpdateObject(o mo.Reference, changes []types.PropertyChange) {
	if task, ok := o.(*mo.Task); ok && task.Info.State == types.TaskInfoStateSuccess && task.Info.Entity != nil {
		g.ended(task)
	}
	vm, ok := o.(*mo.VirtualMachine)
	if !ok {
		return
	}
	for _, change := range changes {
		switch value := change.Val.(type) {
		case types.VirtualMachinePowerState:
			if change.Name == "runtime.powerState" {
				go g.power(vm, value == types.VirtualMachinePowerStatePoweredOn)
			}
		case *types.VirtualMachineSnapshotInfo, types.ManagedObjectReference, *types.ManagedObjectReference:
			if vm.Snapshot != nil && vm.Snapshot.CurrentSnapshot != nil {
				g.meet(vm, *vm.Snapshot.CurrentSnapshot)
			}
		}
	}
}

// ended does what the simulator leaves out: tell of a new annotation, and have clones fail for lack of space.
func (g *guests) ended(task *mo.Task) {
	switch strings.TrimSuffix(task.Info.Name, "_Task") {
	case "ReconfigVm":
		if vm, ok := simulator.Map.Get(*task.Info.Entity).(*simulator.VirtualMachine); ok {
			simulator.Map.Update(vm, []types.PropertyChange{{Name: "config.annotation", Val: vm.Config.Annotation}})
		}
	case "CloneVm":
		ref, ok := task.Info.Result.(types.ManagedObjectReference)
		if _, err := os.Stat(g.full); err != nil || !ok {
			return
		}
		fault := &types.NoDiskSpace{Datastore: "LocalDS_0"}
		task.Info.State, task.Info.Result = types.TaskInfoStateError, nil
		task.Info.Error = &types.LocalizedMethodFault{Fault: fault, LocalizedMessage: "no space"}
		nobody := &simulator.Context{
			Context: context.Background(), Map: simulator.Map, Session: &simulator.Session{Registry: simulator.NewRegistry()},
		}
		simulator.Map.Get(ref).(*simulator.VirtualMachine).DestroyTask(nobody, &types.Destroy_Task{This: ref})
	}
}

// meet notes what a new snapshot holds, and gives it back to the VM when the snapshot is current again.
func (g *guests) meet(vm *mo.VirtualMachine, current types.ManagedObjectReference) {
	g.Lock()
	defer g.Unlock()
	if kept, known := g.snapshots[current]; known {
		vm.Config.Hardware.Device = append([]types.BaseVirtualDevice{}, kept.devices...)
		vm.Config.Annotation, vm.Config.ExtraConfig = kept.annotation, append([]types.BaseOptionValue{}, kept.extra...)
		return
	}
	devices := append([]types.BaseVirtualDevice{}, vm.Config.Hardware.Device...)
	g.snapshots[current] = snapshot{devices, vm.Config.Annotation, append([]types.BaseOptionValue{}, vm.Config.ExtraConfig...)}
}

func (g *guests) power(vm *mo.VirtualMachine, on bool) {
	name, address, tools := "", "", string(types.VirtualMachineToolsRunningStatusGuestToolsNotRunning)
	if on {
		time.Sleep(g.boot)
		g.Lock()
		g.booted++
		name, address = vm.Name, fmt.Sprintf("127.1.%d.%d", g.booted/250, g.booted%250+1)
		tools = string(types.VirtualMachineToolsRunningStatusGuestToolsRunning)
		g.Unlock()
	}
	known := simulator.Map.Get(vm.Self)
	if known == nil {
		return
	}
	simulator.Map.WithLock(known, func() {
		simulator.Map.Update(known, []types.PropertyChange{
			{Name: "guest.hostName", Val: name},
			{Name: "guest.ipAddress", Val: address},
			{Name: "guest.toolsRunningStatus", Val: tools},
		})
	})
}

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address")
	user := flag.String("user", "user", "who may log in")
	password := flag.String("password", "pass", "with which password")
	certificate := flag.String("certificate", "", "file with the certificate, its chain and its key; none: plain HTTP")
	machines := flag.Int("machines", 2, "VMs at the start")
	hosts := flag.Int("hosts", 3, "hosts of the cluster")
	boot := flag.Duration("boot", 0, "how long guests take to start")
	full := flag.String("full", "", "file; while it exists, the datastore has no space for clones")
	flag.Parse()
	if os.Getenv("SIMULATOR_LOG") == "" {
		log.SetOutput(io.Discard)
	}

	model := simulator.VPX()
	model.Host, model.ClusterHost, model.Machine = 0, *hosts, *machines
	if err := model.Create(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer model.Remove()
	model.Service.Listen = &url.URL{Host: *listen, User: url.UserPassword(*user, *password)}
	if *certificate != "" {
		pair, err := tls.LoadX509KeyPair(*certificate, *certificate)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		model.Service.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	}
	simulator.Map.AddHandler(&guests{boot: *boot, full: *full, snapshots: map[types.ManagedObjectReference]snapshot{}})
	server := model.Service.NewServer()
	fmt.Println(server.URL.Host)
	_, _ = io.Copy(io.Discard, os.Stdin) // until the test that started this is over
	server.Close()
}
